"""Many calls held by one program at both ends: see tests/e2e/peers/callgen/callgen.h."""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time

from .netns import wait_for
from .peers import BUILD

TOOLS = os.path.join(BUILD, "tests", "e2e", "peers")


class Talker:
    """A program that reads commands by lines and answers in lines of JSON."""

    def __init__(self, argv, log):
        self._log = open(log, "ab")
        self.proc = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
                                     start_new_session=True)
        self._rest = b""
        self.seen = []
        assert self.line(20).get("ready"), argv

    @property
    def pid(self):
        return self.proc.pid

    def say(self, text):
        self.proc.stdin.write(text.encode() + b"\n")
        self.proc.stdin.flush()

    def line(self, seconds=60):
        """The next line, waited for."""
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as s:
            s.register(self.proc.stdout, selectors.EVENT_READ)
            while b"\n" not in self._rest:
                if not s.select(max(0, end - time.monotonic())):
                    raise TimeoutError(f"{self.proc.args[0]} said nothing for {seconds} s")
                data = os.read(self.proc.stdout.fileno(), 1 << 16)
                if not data:
                    raise RuntimeError(f"{self.proc.args[0]} ended: {self.proc.wait()}")
                self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        return json.loads(line)

    def ask(self, text, key):
        """Says something and returns the next line that has `key`; others are kept in `seen`."""
        self.say(text)
        while key not in (line := self.line()):
            self.seen.append(line)
        return line

    def stop(self):
        if self.proc.poll() is None:
            with contextlib.suppress(BrokenPipeError, OSError):
                self.proc.stdin.close()
            try:
                self.proc.wait(3)
            except subprocess.TimeoutExpired:
                os.killpg(self.proc.pid, signal.SIGKILL)
                self.proc.wait()
        self.proc.stdout.close()
        self._log.close()


class CallGen(Talker):
    """Callers in one namespace, answerers in another, the border between them."""

    def __init__(self, net, caller_ns, caller_ip, callee_ns, callee_ip, borders):
        super().__init__([os.path.join(TOOLS, "callgen"), f"/var/run/netns/{caller_ns}", caller_ip,
                          f"/var/run/netns/{callee_ns}", callee_ip, ",".join(borders)],
                         os.path.join(net.dir, "callgen.log"))
        net.processes.append(self)

    def report(self):
        return self.ask("report", "calls")

    def wait(self, what, predicate, seconds=90):
        """Until a report fulfils a predicate; the report."""
        last = {}

        def look():
            last.update(self.report())
            return predicate(last)

        try:
            wait_for(what, look, seconds, 0.2)
        except TimeoutError as e:
            raise TimeoutError(f"{e}\n{json.dumps(last)}") from None
        return last

    def call(self, count, rate, streams=0, seconds=60):
        """Calls that stay up; returns when all are, or have failed."""
        before = self.report()["calls"]["held"]["asked"]
        self.say(f"call {count} {rate} {streams}")

        def settled(r):
            held = r["calls"]["held"]
            return held["asked"] == before + count and held["trying"] + held["ringing"] == 0

        return self.wait(f"{count} calls to be answered", settled, count / rate + seconds)

    def wait_media(self, seconds=30):
        """Every stream is heard at both ends."""
        self.wait("media both ways", lambda r: r["media"]["on"] and not r["media"]["silent"], seconds)

    def sweep(self, kind, side, rate=200, seconds=60):
        """A request in every call that is up; returns when each has its answer or has none."""
        self.say(f"sweep {kind} {side} {rate}")

        def settled(r):
            return not r["busy"] and all(
                t["sent"] == t["ok"] + t["refused"] + t["unanswered"]
                for c in ("held", "early") for t in (r["requests"][c][kind],))

        up = self.report()["calls"]["held"]["up"]
        return self.wait(f"{kind} from {side} to be answered", settled, up / rate + seconds)

    def hang_up(self, rate=200, seconds=60):
        """Half of the calls from either side; both sides must hear of it."""
        self.sweep("bye", "mixed", rate, seconds)
        return self.wait("both sides of every call to hear its end",
                         lambda r: all(r["calls"][c]["ending"] == 0 for c in ("held", "early")), seconds)

    def end_churn(self, seconds=60):
        self.say("churn 0")
        return self.wait("the last of the short calls to end", lambda r: all(
            r["calls"]["churn"][s] == 0 for s in ("trying", "ringing", "up", "ending")), seconds)


class Owners(Talker):
    """Who speaks for which virtual address on a bridge, by hardware addresses."""

    def __init__(self, net, ns, interface, addresses):
        super().__init__(["ip", "netns", "exec", ns, os.path.join(TOOLS, "owners"), interface,
                          ",".join(addresses)], os.path.join(net.dir, f"owners-{ns}.log"))
        net.processes.append(self)

    def report(self):
        return self.ask("report", "addresses")

"""Peers side by side: Kamailio with rtpengine, and Postern, on the same cable and one core.

Both are from this machine: Debian's Kamailio (tm, topoh, rtpengine) and rtpengine in user
space in a network namespace, then Postern on net_af_packet in one just like it. The same
load generator plays the same calls and streams over two veth pairs. The kernel's part
(veth, softirq) is of the cable and is in neither CPU figure. A call of Kamailio's counts
when both ends have seen all of it, even where the generator sees something of the other
side in it; of Postern's, nothing may be seen.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile

from .bench_calls import clean, told
from .figures import Figure
from .lab import BUILD, PROGRAMS, ROOT, rtp
from .proc import Conversation, LabError, Process, children, cpu_between, cpu_ns, tail
from .search import ladder

sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HOLD_MS = 200
STREAMS = 500  # calls while media is measured: two streams each
ROOM = 8192

CONFIG = """
node:
  name: {name}
  workers: 1
  cpus: [{cpu}, {cpu}]
  idle: backoff
  hugepages: "no"
  memory_mb: 512
  mbufs: 32768
  log: warn
  control: {dir}/border.sock
  limits: {{calls: {calls}, registrations: 100, cps: 10000}}
state: {{directory: "{dir}/state"{state}}}
ports:
  - {{name: outside, device: "net_af_packet0,iface=bo", address: 203.0.113.1/24}}
  - {{name: inside,  device: "net_af_packet1,iface=bi", address: 10.0.0.1/16}}
realms:
  - {{name: access, port: outside, trust: untrusted, nat: true, sip: ["udp:5060"], media: 20000-59999}}
  - {{name: core,   port: inside,  trust: trusted, sip: ["udp:5060"], media: 20000-59999}}
peers:
  - {{name: pbx, realm: core, address: "10.0.0.10:5060"}}
routes:
  - {{from: access, to: pbx}}
  - {{from: core, to: registered}}
"""


class Cable:
    """Two namespaces and two veth pairs; the generator at one end."""

    def __init__(self):
        if os.geteuid() != 0:
            raise LabError("network namespaces need root")
        from lab.netns import Net  # the end-to-end tests' lab
        self.net = Net("bench")
        self.dir = tempfile.mkdtemp(prefix="postern-bench-")
        self.running = []
        cpus = sorted(os.sched_getaffinity(0))
        self.gen_cpu, self.cpu = cpus[0], (cpus[1:] or cpus)[0]

    def __enter__(self):
        self.far, self.near = self.net.ns("far"), self.net.ns("near")
        self.net.veth(self.far, "go", self.near, "bo")
        self.net.veth(self.far, "gi", self.near, "bi")
        return self

    def __exit__(self, *_):
        for process in reversed(self.running):
            process.stop(signal.SIGTERM, 5)
        self.net.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _run(self, kind, args, ns, cpu, log, **more):
        prefix = ["ip", "netns", "exec", ns, "taskset", "-c", str(cpu)]
        process = kind(args, os.path.join(self.dir, log), prefix=prefix, **more)
        self.running.append(process)
        return process

    def start_gen(self):
        args = [os.path.join(PROGRAMS, "gen"), "--lcores", f"0@{self.gen_cpu}", "--no-pci", "--no-huge", "-m", "512",
                "--no-shconf", "--log-level", "4", "--vdev", "net_af_packet0,iface=go",
                "--vdev", "net_af_packet1,iface=gi", "--", "--calls", str(ROOM)]
        self.gen = self._run(Conversation, args, self.far, self.gen_cpu, "gen.log")
        self.gen.wait_for(lambda: "gen: ready" in tail(self.gen.log, 100000), 30, "its devices")
        self.gen.ask("link 20", 30)

    def start_peers(self):
        """Kamailio and rtpengine with the addresses that the border would have."""
        for program in ("kamailio", "rtpengine"):
            if not shutil.which(program):
                raise LabError(f"{program} is not installed")
        self.net.address(self.near, "bo", "203.0.113.1/24")
        self.net.address(self.near, "bi", "10.0.0.1/16")
        media = self._run(Process, ["rtpengine", "--table=-1", "--interface=out/203.0.113.1", "--interface=in/10.0.0.1",
                                    "--listen-ng=127.0.0.1:2223", "--foreground", "--log-stderr", "--log-level=2",
                                    "--num-threads=1", "--port-min=20000", "--port-max=59999", "--timeout=60",
                                    "--delete-delay=0", f"--pidfile={self.dir}/rtpengine.pid"],
                          self.near, self.cpu, "rtpengine.log")
        self.net_wait(media, 2223)
        sip = self._run(Process, ["kamailio", "-DD", "-E", "-m", "256", "-M", "16", "-w", self.dir, "-Y", self.dir,
                                  "-P", f"{self.dir}/kamailio.pid", "-f", os.path.join(HERE, "peers", "kamailio.cfg")],
                        self.near, self.cpu, "kamailio.log")
        self.net_wait(sip, 5060)
        return {"Kamailio": sip, "rtpengine": media}

    def start_postern(self):
        path = os.path.join(self.dir, "border.yaml")
        with open(path, "w") as f:
            # Kamailio keeps its calls in memory alone, so Postern does: its Redis is nowhere.
            f.write(CONFIG.format(name=f"peer{os.getpid()}", dir=self.dir, cpu=self.cpu, calls=ROOM,
                                  state=f', redis: "unix:{self.dir}/none.sock", start_wait: 0'))
        border = self._run(Process, [os.path.join(BUILD, "control", "postern"), path], self.near, self.cpu, "border.log")
        border.wait_for(lambda: subprocess.run([os.path.join(BUILD, "control", "posternctl"), "--socket",
                                                f"{self.dir}/border.sock", "status"], capture_output=True,
                                               check=False).returncode == 0, 30, "its control socket")
        return {"Postern": border}

    def net_wait(self, process, port):
        process.wait_for(lambda: f":{port} " in self.net.run(self.near, "ss", "-Hlun"), 20, f"port {port}")


def cpu_of(process):
    return {pid: cpu_ns(pid) for pid in [process.pid, *children(process.pid)]}


def between(before, after):
    return sum(cpu_between(before.get(pid, {}), threads) for pid, threads in after.items())


def completed(answer):
    """Both ends have seen all of each call; what it told of the other side is another matter."""
    return answer["done"] + answer["faulty"] == answer["attempted"] > 0 and not answer["failed"] and \
        not answer["timed_out"]


def climb(ctx, cable, under, good, start, top):
    """The highest good rate, CPU a call of each process at it, and the generator's answer."""
    best = {}

    def works(rate):
        before = {name: cpu_of(p) for name, p in under.items()}
        seconds = ctx.pick(2.5, 1.5, 0.3)
        answer = cable.gen.ask(f"cps {rate:.0f} {seconds} {HOLD_MS}", 90)
        each = max(1, answer["done"] + answer["faulty"]) * 1e3
        cpu = {name: between(before[name], cpu_of(p)) / each for name, p in under.items()}
        ctx.say(f"{rate:,.0f} calls/s: {told(answer)}; us of CPU a call: "
                + ", ".join(f"{n} {us:.0f}" for n, us in cpu.items()))
        if good(answer):
            best.update(rate=answer["done"] / seconds + answer["faulty"] / seconds, cpu=cpu, answer=answer)
        return good(answer)

    ladder(works, start, 1.6, ctx.pick(2, 1, 0), top)
    if not best:
        raise LabError(f"{', '.join(under)}: not even {start} calls/s without a failure")
    return best


def media(ctx, cable, name, start, top):
    """Packets a second of 1,000 streams, none lost."""
    up = cable.gen.ask(f"setup {STREAMS} 200", 60)["up"]
    if up < STREAMS:
        raise LabError(f"{name}: {up} of {STREAMS} calls were set up")

    def works(pps):
        answer = rtp(cable.gen, pps, ctx.pick(2.0, 1.0, 0.3), 0.3)
        ctx.say(f"{pps:,.0f} packets/s: {answer['lost']} of {answer['tx']} lost, busy {answer['busy']:.2f}")
        return answer["lost"] == 0 and answer["tx"] >= 0.99 * pps * ctx.pick(2.0, 1.0, 0.3)

    return ladder(works, start, 1.7, ctx.pick(2, 1, 0), top)


def one(ctx, name, starter, good, rates):
    with Cable() as cable:
        under = starter(cable)
        cable.start_gen()
        best = climb(ctx, cable, under, good, *rates)
        best["pps"] = media(ctx, cable, name, *ctx.pick((20000, 400000), (20000, 400000), (1000, 1000)))
        return best


def peers(ctx):
    """Kamailio + rtpengine beside Postern: same calls, same streams, same cable, one core"""
    there = "Kamailio + rtpengine"
    rates = ctx.pick((100, 12000), (100, 12000), (20, 20))
    ctx.say(there)
    theirs = one(ctx, there, Cable.start_peers, completed, rates)
    ctx.say("Postern")
    ours = one(ctx, "Postern", Cable.start_postern, clean, (rates[0] * ctx.pick(10, 10, 1), rates[1]))
    ctx.keep("peers", {there: theirs, "Postern": ours})
    return [
        Figure("on a veth, one core: calls a second, none failed", "calls/s", ours["rate"], there, theirs["rate"]),
        Figure("on a veth, one core: CPU of a call", "us", sum(ours["cpu"].values()), there,
               sum(theirs["cpu"].values()), better="lower"),
        Figure("on a veth, one core: RTP packets a second, none lost", "pps", ours["pps"] or None, there,
               theirs["pps"] or None, why="not even the slowest rate went without loss"),
        Figure("  of those calls, with something of the other side seen", "calls", float(ours["answer"]["faulty"]), there,
               float(theirs["answer"]["faulty"]), better="lower"),
    ]

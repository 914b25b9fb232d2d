"""Peers side by side: Kamailio with rtpengine, and Postern, on the same cable and one core.

Both are of this machine: Debian's Kamailio (tm, topoh, rtpengine) and rtpengine in user
space in a network namespace, then Postern on net_af_packet in one just like it, pinned to
one core. The same program plays the same calls (INVITE 100 180 200 ACK BYE 200, with SDP)
and G.711 streams over two veth pairs from the other core: tests/e2e/peers/callgen, which
talks to proxies too, as the load generator of the rings does not. The kernel's part (veth,
softirq) is of the cable and is in neither CPU figure.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time

from .figures import Figure
from .lab import BUILD, ROOT
from .proc import LabError, Process, children, cpu_between, cpu_ns
from .search import ladder

sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HOLD_MS = 200
PACKETS = 100  # a second of a call: both ways, 20 ms
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
    """A network outside, one inside, and between them the device under test."""

    def __init__(self):
        if os.geteuid() != 0:
            raise LabError("network namespaces need root")
        from lab.netns import Net  # the end-to-end tests' lab
        self.net = Net("bench")
        self.dir = tempfile.mkdtemp(prefix="postern-bench-")
        self.running = []
        self.gen = None
        cpus = sorted(os.sched_getaffinity(0))
        self.gen_cpu, self.cpu = cpus[0], (cpus[1:] or cpus)[0]

    def __enter__(self):
        self.out, self.near, self.in_ = (self.net.ns(name) for name in ("out", "near", "in"))
        self.net.veth(self.out, "go", self.near, "bo")
        self.net.veth(self.in_, "gi", self.near, "bi")
        self.net.address(self.out, "go", "203.0.113.100/24")
        self.net.address(self.in_, "gi", "10.0.0.10/16")
        return self

    def __exit__(self, *_):
        self.silence()
        for process in reversed(self.running):
            process.stop(seconds=5)
        self.net.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _run(self, args, log):
        prefix = ["ip", "netns", "exec", self.near, "taskset", "-c", str(self.cpu)]
        process = Process(args, os.path.join(self.dir, log), prefix=prefix)
        self.running.append(process)
        return process

    def talk(self):
        """Fresh callers and answerers."""
        from lab.callgen import CallGen
        self.silence()
        self.gen = CallGen(self.net, self.out, "203.0.113.100", self.in_, "10.0.0.10", ["203.0.113.1"])
        os.sched_setaffinity(self.gen.pid, {self.gen_cpu})
        return self.gen

    def silence(self):
        if self.gen:
            self.gen.stop()
            self.gen = None

    def start_peers(self):
        """Kamailio and rtpengine with the addresses that the border would have."""
        for program in ("kamailio", "rtpengine"):
            if not shutil.which(program):
                raise LabError(f"{program} is not installed")
        self.net.address(self.near, "bo", "203.0.113.1/24")
        self.net.address(self.near, "bi", "10.0.0.1/16")
        media = self._run(["rtpengine", "--table=-1", "--interface=out/203.0.113.1", "--interface=in/10.0.0.1",
                           "--listen-ng=127.0.0.1:2223", "--foreground", "--log-stderr", "--log-level=2",
                           "--num-threads=1", "--port-min=20000", "--port-max=59999", "--timeout=60",
                           "--delete-delay=0", f"--pidfile={self.dir}/rtpengine.pid"], "rtpengine.log")
        self.wait_port(media, 2223)
        sip = self._run(["kamailio", "-DD", "-E", "-m", "256", "-M", "16", "-w", self.dir, "-Y", self.dir,
                         "-P", f"{self.dir}/kamailio.pid", "-f", os.path.join(HERE, "peers", "kamailio.cfg")],
                        "kamailio.log")
        self.wait_port(sip, 5060)
        return {"Kamailio": sip, "rtpengine": media}

    def start_postern(self):
        path = os.path.join(self.dir, "border.yaml")
        with open(path, "w") as f:
            # Kamailio keeps its calls in memory alone, and so does Postern here: its Redis is nowhere.
            f.write(CONFIG.format(name=f"peer{os.getpid()}", dir=self.dir, cpu=self.cpu, calls=ROOM,
                                  state=f', redis: "unix:{self.dir}/none.sock", start_wait: 0'))
        border = self._run([os.path.join(BUILD, "control", "postern"), path], "border.log")
        ask = [os.path.join(BUILD, "control", "posternctl"), "--socket", f"{self.dir}/border.sock", "status"]
        border.wait_for(lambda: subprocess.run(ask, capture_output=True, check=False).returncode == 0, 30,
                        "its control socket")
        return {"Postern": border}

    def wait_port(self, process, port):
        process.wait_for(lambda: f":{port} " in self.net.run(self.near, "ss", "-Hlun"), 20, f"port {port}")


def cpu_of(process):
    return {pid: cpu_ns(pid) for pid in [process.pid, *children(process.pid)]}


def between(before, after):
    return sum(cpu_between(before.get(pid, {}), threads) for pid, threads in after.items())


def churn(ctx, cable, under, rate):
    """Calls that come and go at a rate: how they ended, and each process's CPU a call in us."""
    gen, seconds = cable.talk(), ctx.pick(3.0, 2.0, 0.5)
    before = {name: cpu_of(p) for name, p in under.items()}
    gen.say(f"churn {rate:.0f} {HOLD_MS}")
    time.sleep(seconds)
    try:
        report = gen.end_churn(15)
    except TimeoutError:
        report = gen.report()
    cpu = {name: between(before[name], cpu_of(p)) for name, p in under.items()}
    calls, asked = report["calls"]["churn"], report["requests"]["churn"]
    again = sum(t["retransmitted"] for t in asked.values())
    ctx.say(f"{rate:,.0f} calls/s: {calls['ended']} of {calls['asked']} ended well, {again} requests sent again; "
            "us of CPU a call: " + ", ".join(f"{n} {ns / max(1, calls['asked']) / 1e3:.0f}" for n, ns in cpu.items()))
    good = calls["ended"] == calls["asked"] > 0 and not calls["lost"] and not again
    return {"good": good, "rate": calls["asked"] / seconds, "again": again, "calls": calls,
            "cpu_us": {n: ns / max(1, calls["asked"]) / 1e3 for n, ns in cpu.items()}}


def climb(ctx, cable, under, start, top):
    """The highest rate at which every call ends well and nothing had to be sent again."""
    seen = {}

    def works(rate):
        seen[rate] = churn(ctx, cable, under, rate)
        return seen[rate]["good"]

    rate = ladder(works, start, 2, ctx.pick(2, 1, 0), top)
    if rate not in seen:
        raise LabError(f"{', '.join(under)}: not even {start} calls/s without a failure")
    return seen[rate]


def media(ctx, cable):
    """Packets a second of as many G.711 streams as go without losing one."""
    def works(calls):
        gen = cable.talk()
        try:
            gen.call(int(calls), 200, int(calls), 10)
            time.sleep(1.0)
            gen.say("mark")
            time.sleep(ctx.pick(2.0, 1.0, 0.3))
            m = gen.report()["media"]
        except TimeoutError as error:
            ctx.say(f"{calls:.0f} calls with media: {str(error)[:100]}")
            return False
        seconds = ctx.pick(2.0, 1.0, 0.3)
        ctx.say(f"{calls * PACKETS:,.0f} packets/s due, {2 * calls:.0f} streams: {m['sent'] / seconds:,.0f} sent, "
                f"{m['missing']} lost, {m['silent']} streams silent")
        return not m["missing"] and not m["silent"] and m["sent"] >= 0.9 * calls * PACKETS * seconds

    return PACKETS * ladder(works, ctx.pick(100, 100, 5), 1.7, ctx.pick(2, 1, 0), ctx.pick(2000, 2000, 5))


def one(ctx, starter, rates):
    with Cable() as cable:
        under = starter(cable)
        best = climb(ctx, cable, under, *rates)
        best["pps"] = media(ctx, cable)
        return best


def peers(ctx):
    """Kamailio + rtpengine beside Postern: same calls, same streams, same cable, one core"""
    there = "Kamailio + rtpengine"
    ctx.say(there)
    theirs = one(ctx, Cable.start_peers, ctx.pick((150, 6000), (150, 6000), (20, 20)))
    ctx.say("Postern")
    ours = one(ctx, Cable.start_postern, ctx.pick((600, 6000), (600, 6000), (20, 20)))
    ctx.keep("peers", {there: theirs, "Postern": ours})
    return [
        Figure("on a veth, one core: calls a second, none failed", "calls/s", ours["rate"], there, theirs["rate"]),
        Figure("on a veth, one core: CPU of a call", "us", sum(ours["cpu_us"].values()), there,
               sum(theirs["cpu_us"].values()), better="lower"),
        Figure("on a veth, one core: RTP packets a second, none lost", "pps", ours["pps"], there, theirs["pps"]),
    ]

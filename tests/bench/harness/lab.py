"""The lab of rings: the load generator behind two vhost sockets, the device under test before them.

The generator has the first CPU, the device's worker the second; where there are more,
the device's control thread and the generator's main thread get one of their own.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from .proc import Conversation, LabError, Process, children, cpu_ns, put_first, stolen_ns, tail, waited_ns

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
BUILD = os.environ.get("POSTERN_BUILD", os.path.join(ROOT, "build-release"))
COUNTED = os.environ.get("POSTERN_COUNTED", BUILD)  # whose instructions are counted: without link-time optimisation
PROGRAMS = os.path.join(BUILD, "tests", "bench")
RINGS = "queue_size=4096,packed_vq=1,in_order=1,mrg_rxbuf=0"
PER_ADDRESS = 20000  # calls, of a media address
DISTURBED_NS = 500000  # rings of 4,096 hold 1.5 ms of 5 Mpps, of which half come by each port
EAL = ["--no-pci", "--in-memory", "--single-file-segments", "--log-level", "4"]

CONFIG = """
node:
  name: {name}
  workers: {workers}
  cpus: [{cpus}]
  idle: {idle}
  hugepages: "yes"
  mbufs: {mbufs}
  rx_desc: {entries}
  tx_desc: {entries}
  log: warn
  control: {dir}/border.sock
  limits: {{calls: {calls}, registrations: {registrations}, cps: {cps}}}
state: {{{state}}}
ports:
  - {{name: outside, device: "{outside}", address: 203.0.113.1/24}}
  - {{name: inside,  device: "{inside}",  address: 10.0.0.1/16}}
realms:
  - {{name: access, port: outside, trust: untrusted, nat: true, sip: ["udp:5060"], media: 10000-59999{access}}}
  - {{name: core,   port: inside,  trust: trusted, sip: ["udp:5060"], media: 10000-59999{core}}}
peers:
  - {{name: pbx, realm: core, address: "10.0.0.10:5060"}}
routes:
  - {{from: access, to: pbx}}
  - {{from: core, to: registered}}
"""


class NoRings(LabError):
    """This machine gives no hugepages."""


def hugepages_free():
    with open("/proc/meminfo") as f:
        return next((int(line.split()[1]) for line in f if line.startswith("HugePages_Free")), 0)


def require_rings():
    """What virtio-user and vhost need; said plainly when it is not there."""
    if hugepages_free() < 400:
        raise NoRings(f"needs 400 free hugepages of 2 MB for virtio-user and vhost, there are {hugepages_free()} "
                      "(as root: echo 1024 >/proc/sys/vm/nr_hugepages)")
    if not any(line.split()[2] == "hugetlbfs" for line in open("/proc/mounts")):
        raise NoRings("needs hugetlbfs mounted for virtio-user and vhost")


class Rings:
    """A directory of sockets and what runs on both sides of them. Use with `with`.

    The generator holds the vhost sides, whose driver copies every packet in and out, and the device under test
    connects to them with virtio-user. `turned` the other way about: then the copies are the device's to make, and
    the generator has room to spare.
    """

    def __init__(self, turned=False, layout=RINGS):
        require_rings()
        self.turned, self.layout = turned, layout
        self.entries = int(re.search(r"queue_size=(\d+)", layout)[1])
        self.dir = tempfile.mkdtemp(prefix="postern-bench-")
        cpus = sorted(os.sched_getaffinity(0))
        self.gen_cpu = cpus[0]
        self.cpus = cpus[1:] or cpus
        self.running = []
        self.gen = self.device = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.clear()
        shutil.rmtree(self.dir, ignore_errors=True)

    def clear(self):
        """Ends both sides: the generator last, so that the device never waits for a ring."""
        for process in reversed(self.running):
            process.stop(signal.SIGINT)  # at once: SIGTERM would have the border wait for its calls
        self.running = []
        for name in os.listdir(self.dir):
            path = os.path.join(self.dir, name)
            shutil.rmtree(path, ignore_errors=True) if os.path.isdir(path) else os.unlink(path)

    def end(self, i, vhost, queues=1):
        """EAL's name for one side's end of the ring: a vhost socket, or what connects to it."""
        path = f"{self.dir}/{('out', 'in')[i]}.sock"
        if vhost:
            return f"net_vhost{i},iface={path},queues={queues}"
        return f"net_virtio_user{i},path={path},{self.layout}" + (f",queues={queues}" if queues > 1 else "")

    def start_gen(self, calls, reference=False, queues=1, options=()):
        """At once, or as soon as the device holds the sockets that it is to connect to."""
        vdev = [w for i in (0, 1) for w in ("--vdev", self.end(i, not self.turned, queues))]
        self.gen_args = [os.path.join(PROGRAMS, "gen"), "--lcores", f"0@{self.gen_cpu}", *EAL, *vdev,
                         "--", "--calls", str(calls), "--media-out", "203.0.113.2/63", "--media-in", "10.0.1.2/63",
                         *(["--reference"] if reference else []), *options]
        if not self.turned:
            self._run_gen()

    def _run_gen(self):
        self.gen = Conversation(self.gen_args, os.path.join(self.dir, "gen.log"), first=True)
        self.running.append(self.gen)
        self.gen.wait_for(lambda: "gen: ready" in tail(self.gen.log, 100000), 30, "its ports")

    def _connect(self):
        """The device is there: both sides can meet."""
        if self.turned:
            sockets = [f"{self.dir}/{side}.sock" for side in ("out", "in")]
            self.device.wait_for(lambda: all(map(os.path.exists, sockets)), 30, "vhost sockets")
            self._run_gen()
        self.gen.ask("link 30", 40)
        return self.device

    def start_testpmd(self, mode="macswap"):
        if not shutil.which("dpdk-testpmd"):
            raise LabError("dpdk-testpmd is not installed (Debian package dpdk-dev)")
        args = ["dpdk-testpmd", "--lcores", f"0@{self.gen_cpu},1@{self.cpus[0]}", *EAL, "-m", "256",
                "--vdev", self.end(0, self.turned), "--vdev", self.end(1, self.turned),
                "--", f"--forward-mode={mode}", "--auto-start", "--nb-cores=1", f"--txd={self.entries}", f"--rxd={self.entries}",
                "--stats-period=0"]
        # It goes on until its input ends.
        self.device = Process(args, os.path.join(self.dir, "device.log"), stdin=subprocess.PIPE, first=True)
        self.running.append(self.device)
        return self._connect()

    def start_postern(self, calls, waits=True, **settings):
        """`waits` until its Redis is there: a border that is waiting for it refuses calls."""
        path = self.configuration(calls, **settings)
        self.device = Process([os.path.join(BUILD, "control", "postern"), path], os.path.join(self.dir, "device.log"),
                              first=True)
        self.running.append(self.device)
        self.device.wait_for(self._store_up if waits else lambda: self.control("status"), 90, "its control socket")
        for server in children(self.device.pid):
            put_first(server)  # its Redis has a session of its own, and may run where there is room
            os.sched_setaffinity(server, {self.gen_cpu, *self.cpus})
        return self._connect()

    @staticmethod
    def further(network, calls):
        """Media addresses beside the first, of which each has ports for 25,000 streams; some are left to rest."""
        n = calls // PER_ADDRESS
        return f', media_addresses: ["{network}.2-{network}.{n + 1}"]' if n else ""

    def configuration(self, calls, workers=1, idle="poll", cps=20000, mbufs=32768, state=None, access="", core="",
                      registrations=100, queues=1):
        # One CPU for control with the generator's main thread, one for each worker as far as they go.
        cpus = [self.gen_cpu] + [self.cpus[i % len(self.cpus)] for i in range(workers)]
        path = os.path.join(self.dir, "border.yaml")
        with open(path, "w") as f:
            f.write(CONFIG.format(
                name=f"bench{os.getpid()}", dir=self.dir, workers=workers, entries=self.entries, cpus=", ".join(map(str, cpus)), idle=idle,
                calls=calls, cps=cps, mbufs=mbufs, registrations=registrations,
                outside=self.end(0, self.turned, queues), inside=self.end(1, self.turned, queues),
                access=access or self.further("203.0.113", calls), core=core or self.further("10.0.1", calls),
                state=state or f'directory: "{self.dir}/state"'))
        return path

    def control(self, *words):
        """What posternctl answers, or None while there is nobody."""
        done = subprocess.run([os.path.join(BUILD, "control", "posternctl"), "--socket", f"{self.dir}/border.sock",
                               "--json", *words], capture_output=True, text=True)
        return json.loads(done.stdout) if done.returncode == 0 and done.stdout.startswith(("{", "[")) else None

    def no_state(self):
        """A border that keeps nothing, and says so: no Redis, nothing owed to one."""
        return f'directory: "{self.dir}/state", durable: none'

    def _store_up(self):
        status = self.control("status")
        return bool(status and status["store"]["up"])

    def trial(self, rate, seconds):
        """Media at a rate; `disturbed` when a polling thread was kept from its CPU."""
        return self.watched(lambda: rtp(self.gen, rate, seconds, 0.1))

    def watched(self, load, most_ns=DISTURBED_NS):
        """The answer of a load, and whether the machine kept a thread waiting for longer than that."""
        before = Machine(self.gen.pid, self.device.pid)
        answer = load()
        waited = max(before.kept_ns(), answer.get("paused_us", 0) * 1e3)
        answer["disturbed"] = waited > most_ns
        return answer


class Machine:
    """What the kernel and the host have kept from polling threads by now. The host's part is counted in ticks of 10 ms."""

    def __init__(self, *pids):
        self.pids, self.stolen = pids, stolen_ns()
        self.ran, self.waited = [[of(pid) for pid in pids] for of in (cpu_ns, waited_ns)]

    def kept_ns(self):
        """The longest that the busiest thread of one has had to wait since, all its waits together."""
        waits = [0]
        for pid, ran, waited in zip(self.pids, self.ran, self.waited):
            now = cpu_ns(pid)
            busiest = max(now, key=lambda tid: now[tid] - ran.get(tid, 0), default=None)
            waits.append(waited_ns(pid).get(busiest, 0) - waited.get(busiest, 0))
        return max(stolen_ns() - self.stolen, *waits)


def rtp(gen, rate, seconds, warmup=0.2):
    """One trial of media; the generator waits for what is on its way."""
    return gen.ask(f"rtp {rate:.0f} {seconds:g} {warmup:g}", seconds + warmup + 30)


def program(name, *args, timeout=300, prefix=(), first=False):
    """JSON lines of a benchmark program, and nothing else of what it prints. `first`: ahead of all else here."""
    path = os.path.join(PROGRAMS, name)
    if not os.path.exists(path):
        raise LabError(f"there is no program {name} in {os.path.relpath(PROGRAMS, ROOT)}")
    begun = time.monotonic()
    try:
        done = subprocess.run([*prefix, path, *args], capture_output=True, text=True, timeout=timeout, cwd=ROOT,
                              start_new_session=first, preexec_fn=(lambda: put_first(os.getpid())) if first else None)
    except subprocess.TimeoutExpired:
        raise LabError(f"{name}: not done in {timeout} s") from None
    if done.returncode != 0:
        raise LabError(f"{name}: exit {done.returncode}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise LabError(f"{name}: printed no figure in {time.monotonic() - begun:.0f} s")
    return lines

"""The relay by the generator that sets up calls and measures in one run."""

import json
import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

from .figures import LINE_RATE_MPPS, Figure
from .lab import BUILD, PROGRAMS, RINGS, require_rings
from .proc import LabError

CONFIG = """
node:
  name: bench
  workers: 1
  cpus: [0, {cpu}]
  idle: poll
  hugepages: "yes"
  log: warn
  control: {dir}/bench.sock
  limits: {{calls: {calls}, registrations: 100, cps: 5000}}
state: {{directory: "{dir}/state"}}
ports:
  - {{name: outside, device: "net_virtio_user0,path={dir}/out.sock,{rings}", address: 203.0.113.1/24}}
  - {{name: inside,  device: "net_virtio_user1,path={dir}/in.sock,{rings}",  address: 10.0.0.1/24}}
realms:
  - {{name: access, port: outside, trust: untrusted, nat: true, sip: ["udp:5060"], media: 10000-59999}}
  - {{name: core,   port: inside,  trust: trusted, sip: ["udp:5060"], media: 10000-59999}}
peers:
  - {{name: pbx, realm: core, address: "10.0.0.10:5060"}}
routes:
  - {{from: access, to: pbx}}
  - {{from: core, to: registered}}
"""


class Rings:
    """Generator on one core behind two vhost sockets, the device under test on the other."""

    def __init__(self):
        require_rings()
        self.dir = tempfile.mkdtemp(prefix="postern-bench-")
        cpus = sorted(os.sched_getaffinity(0))
        self.cpu = cpus[1] if len(cpus) > 1 else cpus[0]
        self.gen_cpu = cpus[0]

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def _generate(self, calls, seconds, setup, *more):
        args = [os.path.join(PROGRAMS, "gen"), "--lcores", f"0@{self.gen_cpu}", "--no-pci", "--in-memory",
                "--single-file-segments", "-m", "400", "--log-level", "4",
                "--vdev", f"net_vhost0,iface={self.dir}/out.sock",
                "--vdev", f"net_vhost1,iface={self.dir}/in.sock",
                "--", "--calls", str(calls), "--seconds", str(seconds), *more]
        if setup:
            args.append("--setup")
        gen = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(f"{self.dir}/gen.err", "w"), text=True)
        end = time.monotonic() + 20
        while not os.path.exists(f"{self.dir}/in.sock") and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.3)
        return gen

    def _finish(self, gen, device, what):
        try:
            out, _ = gen.communicate(timeout=180)
        finally:
            if gen.poll() is None:
                gen.kill()
            device.send_signal(signal.SIGINT)  # at once: SIGTERM would wait for the calls to end
            try:
                device.wait(15)
            except subprocess.TimeoutExpired:
                device.kill()
                device.wait()
        if gen.returncode != 0:
            with open(f"{self.dir}/gen.err") as e, open(f"{self.dir}/device.log") as d:
                raise LabError(f"{what}: {e.read()[-1500:]}\n{d.read()[-2500:]}")
        return json.loads(out.splitlines()[-1])

    def testpmd(self, calls, seconds, *more):
        gen = self._generate(calls, seconds, False, *more)
        device = subprocess.Popen(
            ["dpdk-testpmd", "--lcores", f"0@{self.gen_cpu},1@{self.cpu}", "--no-pci", "--in-memory",
             "--single-file-segments", "-m", "256", "--log-level", "4",
             "--vdev", f"virtio_user0,path={self.dir}/out.sock,{RINGS}",
             "--vdev", f"virtio_user1,path={self.dir}/in.sock,{RINGS}",
             "--", "--forward-mode=macswap", "--auto-start", "--nb-cores=1", "--txd=1024", "--rxd=1024",
             "--stats-period=0"],
            stdin=subprocess.PIPE, stdout=open(f"{self.dir}/device.log", "w"), stderr=subprocess.STDOUT)
        return self._finish(gen, device, "testpmd")

    def postern(self, calls, seconds, *more):
        gen = self._generate(calls, seconds, True, *more)
        shutil.rmtree(f"{self.dir}/state", ignore_errors=True)  # or the calls of the run before come back
        path = f"{self.dir}/bench.yaml"
        with open(path, "w") as f:
            f.write(CONFIG.format(dir=self.dir, calls=calls + 100, cpu=self.cpu, rings=RINGS))
        device = subprocess.Popen([os.path.join(BUILD, "control", "postern"), path], stdin=subprocess.DEVNULL,
                                  stdout=open(f"{self.dir}/device.log", "w"), stderr=subprocess.STDOUT)
        self._wait_store(device)
        gen.stdin.write("go\n")
        gen.stdin.flush()
        return self._finish(gen, device, "postern")

    def _wait_store(self, device):
        """A border whose Redis is not there yet refuses calls, so that is waited for."""
        end = time.monotonic() + 30
        while time.monotonic() < end and device.poll() is None:
            done = subprocess.run([os.path.join(BUILD, "control", "posternctl"), "--socket", f"{self.dir}/bench.sock",
                                   "--json", "status"], capture_output=True, text=True)
            if done.returncode == 0 and json.loads(done.stdout)["store"]["up"]:
                return
            time.sleep(0.1)


def relay(_ctx, flows=1000, seconds=3.0, rounds=3):
    """Alternating runs: the machine's drift meets both alike; the median pair is quoted."""
    if not shutil.which("dpdk-testpmd"):
        raise LabError("dpdk-testpmd is not installed")
    rings = Rings()
    try:
        pairs = [(rings.postern(flows // 2, seconds), rings.testpmd(flows // 2, seconds)) for _ in range(rounds)]
    finally:
        rings.close()
    pairs.sort(key=lambda p: p[0]["rx_mpps"] / p[1]["rx_mpps"])
    ours, theirs = pairs[len(pairs) // 2]
    out = [Figure(f"RTP relay, {flows:,} flows, all that goes", "Mpps", ours["rx_mpps"], "testpmd macswap",
                  theirs["rx_mpps"]),
           Figure("  of it against 10 GbE", "Mpps", ours["rx_mpps"], "10 GbE of 214 B frames", LINE_RATE_MPPS)]
    loss = [statistics.median(p[side]["loss"] for p in pairs) * 1e6 for side in (0, 1)]
    return out + [Figure("  loss at that load", "ppm", loss[0], "testpmd macswap", loss[1])]

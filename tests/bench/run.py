#!/usr/bin/env python3
"""./dev bench [NAME ...]: figures, each beside a reference measured in the same run.

The benchmarks are programs of their own that print a JSON object a line with
name, value, unit, reference and reference_value. Nothing here passes or fails
by speed: the table says what was measured.
"""

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("POSTERN_BUILD", os.path.join(ROOT, "build-release"))
PROGRAMS = os.path.join(BUILD, "tests", "bench")
RINGS = "queue_size=1024,packed_vq=1,in_order=1,mrg_rxbuf=0"

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


def program(name, *args):
    """JSON lines of a benchmark program, and nothing else of what it prints."""
    path = os.path.join(PROGRAMS, name)
    done = subprocess.run([path, *args], capture_output=True, text=True, timeout=300, cwd=ROOT)
    if done.returncode != 0:
        raise RuntimeError(f"{name}: exit {done.returncode}\n{done.stdout[-1000:]}{done.stderr[-1000:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


class Rings:
    """Generator on one core behind two vhost sockets, the device under test on the other."""

    def __init__(self):
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
                raise RuntimeError(f"{what}: {e.read()[-1500:]}\n{d.read()[-2500:]}")
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


def relay(flows=1000, seconds=3.0, rounds=3):
    """Alternating runs: the machine's drift meets both alike; the median pair is quoted."""
    if not shutil.which("dpdk-testpmd"):
        raise RuntimeError("dpdk-testpmd is not installed")
    rings = Rings()
    try:
        pairs = [(rings.postern(flows // 2, seconds), rings.testpmd(flows // 2, seconds)) for _ in range(rounds)]
    finally:
        rings.close()
    pairs.sort(key=lambda p: p[0]["rx_mpps"] / p[1]["rx_mpps"])
    ours, theirs = pairs[len(pairs) // 2]
    loss = statistics.median(p[0]["loss"] for p in pairs)
    reference_loss = statistics.median(p[1]["loss"] for p in pairs)
    return [
        {"name": f"RTP relay, {flows} flows, 214 B", "value": ours["rx_mpps"], "unit": "Mpps",
         "reference": "testpmd macswap", "reference_value": theirs["rx_mpps"], "goal": 0.5, "higher": True},
        {"name": "  loss at that load", "value": loss * 1e6, "unit": "ppm", "reference": "testpmd macswap",
         "reference_value": reference_loss * 1e6},
    ]


def state():
    """Redis as the daemon runs its own: a Unix socket, append-only files written out each second."""
    if not shutil.which("redis-server"):
        raise RuntimeError("redis-server is not installed")
    where = tempfile.mkdtemp(prefix="postern-bench-")
    path = f"{where}/redis.sock"
    server = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", path, "--dir", where, "--save", "",
         "--appendonly", "yes", "--appendfsync", "everysec"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 20
        while not os.path.exists(path) and time.monotonic() < end:
            time.sleep(0.05)
        return program("state_bench", f"unix:{path}")
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        shutil.rmtree(where, ignore_errors=True)


BENCHES = {
    "parse": lambda: program("parse_bench"),
    "rewrite": lambda: program("rewrite_bench"),
    "engine": lambda: program("engine_bench"),
    "relay": relay,
    "state": state,
}


def show(results):
    print(f"\n{'figure':<44} {'value':>12} {'unit':<8} {'reference':<34} {'value':>12} {'ratio':>8}  goal")
    for r in results:
        ref = r.get("reference_value")
        ratio = f"{r['value'] / ref:8.2f}" if ref else f"{'-':>8}"
        goal = "-"
        if r.get("goal") is not None and ref:
            met = r["value"] / ref >= r["goal"] if r.get("higher") else r["value"] <= r["goal"]
            goal = f"{'>=' if r.get('higher') else '<='} {r['goal']} {'met' if met else 'NOT met'}"
        shown = f"{ref:,.2f}" if isinstance(ref, (int, float)) else "-"
        print(f"{r['name']:<44} {r['value']:>12,.2f} {r['unit']:<8} {r.get('reference') or '-':<34}"
              f" {shown:>12} {ratio}  {goal}")


def main(names):
    unknown = [n for n in names if n not in BENCHES]
    if unknown:
        print(f"no benchmark {unknown[0]!r}; there are: {', '.join(BENCHES)}")
        return 2
    results, failed = [], []
    for name in names or BENCHES:
        print(f"running {name} ...", flush=True)
        try:
            results += BENCHES[name]()
        except (RuntimeError, OSError, subprocess.SubprocessError, ValueError) as error:
            failed.append(name)
            print(f"   could not be run: {error}")
    show(results)
    if failed:
        print(f"\nnot run: {', '.join(failed)}")
    out = os.path.join(BUILD, "bench")
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "results.json"), "w") as f:
        json.dump(results, f, indent=1)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

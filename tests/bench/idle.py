#!/usr/bin/env python3
"""An idle border on plain interfaces (veth, net_af_packet): what it burns, how fast it wakes.

Run by `./dev bench`, or by itself. Two borders of the same build, one after the other: `idle: backoff` and, as
the reference, `idle: poll`. Each is left alone for some seconds, then gets lone echo requests, each when the one
before is long answered; the asker polls its socket, so what is measured is the border and the veth. Needs root.
"""

import ctypes
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from harness.proc import put_first  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("POSTERN_BUILD", os.path.join(ROOT, "build-release"))

CONFIG = """
node:
  name: {name}
  workers: 1
  cpus: [{control}, {worker}]
  idle: {idle}
  hugepages: "no"
  log: warn
  control: {dir}/border.sock
  limits: {{calls: 1000, registrations: 1000}}
state: {{directory: "{dir}/state"}}
ports:
  - {{name: outside, device: "net_af_packet0,iface={out}", address: 203.0.113.1/24}}
  - {{name: inside,  device: "net_af_packet1,iface={inn}", address: 10.0.0.1/24}}
realms:
  - {{name: access, port: outside, trust: untrusted, nat: true, sip: ["udp:5060"], media: 10000-19999}}
  - {{name: core,   port: inside,  trust: trusted, sip: ["udp:5060"], media: 10000-19999}}
peers:
  - {{name: pbx, realm: core, address: "10.0.0.10:5060"}}
routes:
  - {{from: access, to: pbx}}
  - {{from: core, to: registered}}
"""

OURS, ASKER = "203.0.113.1", "203.0.113.50"
MAC = bytes.fromhex("020000000150")
GAP_S = 0.01


def ip(command):
    subprocess.run(["ip", *command.split()], check=True, capture_output=True)


class Veths:
    """Two pairs, the border's ends without addresses; IPv6 is off, so that nothing of the kernel's wakes anybody."""

    def __init__(self):
        self.names = [f"pi{os.getpid() % 100000}{x}" for x in "ab"]
        for n in self.names:
            ip(f"link add {n} type veth peer name {n}f")
            for end in (n, n + "f"):
                with open(f"/proc/sys/net/ipv6/conf/{end}/disable_ipv6", "w") as f:
                    f.write("1")
                ip(f"link set {end} up")

    def close(self):
        for n in self.names:
            ip(f"link del {n}")


def checksum(b):
    s = sum(struct.unpack(f"!{len(b) // 2}H", b))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def arp():
    return (b"\xff" * 6 + MAC + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1) + MAC + socket.inet_aton(ASKER)
            + bytes(6) + socket.inet_aton(OURS))


def echo(to, sequence):
    body = struct.pack("!BBHHH", 8, 0, 0, 77, sequence) + bytes(56)
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), sequence, 0, 64, 1, 0)
    head += socket.inet_aton(ASKER) + socket.inet_aton(OURS)
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return to + MAC + b"\x08\x00" + head + body


class Asker:
    def __init__(self, interface):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((interface, 0))
        self.socket.setblocking(False)

    def ask(self, frame, is_answer, seconds=2.0):
        """ns until the answer; None when there is none."""
        begun = time.perf_counter_ns()
        self.socket.send(frame)
        while time.perf_counter_ns() < begun + seconds * 1e9:
            try:
                got, where = self.socket.recvfrom(2048)
            except BlockingIOError:
                continue
            if where[2] != socket.PACKET_OUTGOING and is_answer(got):
                return time.perf_counter_ns() - begun, got
        return None

    def border(self):
        """The border's Ethernet address, asked for until it is there."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            found = self.ask(arp(), lambda f: f[12:14] == b"\x08\x06" and f[20:22] == b"\x00\x02", 0.2)
            if found:
                return found[1][6:12]
        raise RuntimeError("the border does not answer ARP")

    def close(self):
        self.socket.close()


def cpu_ns(pid):
    total = 0
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/schedstat") as f:
            total += int(f.read().split()[0])
    return total


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(p) for p in f.read().split()]


def switches(pid):
    """Voluntary context switches by thread name: who wakes how often."""
    out = {}
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/status") as f:
            fields = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        out[fields["Name"]] = out.get(fields["Name"], 0) + int(fields["voluntary_ctxt_switches"])
    return out


def idle_for(pid, seconds):
    """Percent of a core: the border, its own Redis; and wakes a second of each thread."""
    redis = children(pid)
    before, redis_before, woken = cpu_ns(pid), sum(map(cpu_ns, redis)), switches(pid)
    time.sleep(seconds)
    after = switches(pid)
    return ((cpu_ns(pid) - before) / seconds / 1e7, (sum(map(cpu_ns, redis)) - redis_before) / seconds / 1e7,
            {name: round((after[name] - woken.get(name, 0)) / seconds, 1) for name in after})


def percentile(sorted_values, p):
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * p / 100))]


def measure(idle, seconds, samples):
    where = tempfile.mkdtemp(prefix="postern-idle-")
    cpus = sorted(os.sched_getaffinity(0))
    veths = Veths()
    border = asker = None
    try:
        path = f"{where}/border.yaml"
        with open(path, "w") as f:
            f.write(CONFIG.format(name=f"idle{os.getpid()}", dir=where, idle=idle, control=cpus[0], worker=cpus[-1],
                                  out=veths.names[0], inn=veths.names[1]))
        with open(f"{where}/log", "w") as log:
            border = subprocess.Popen([os.path.join(BUILD, "control", "postern"), path], stdin=subprocess.DEVNULL,
                                      stdout=log, stderr=log, start_new_session=True)
        put_first(border.pid)
        asker = Asker(veths.names[0] + "f")
        to = asker.border()
        os.sched_setaffinity(0, {cpus[0]})
        time.sleep(1.0)
        percent, redis, wakes = idle_for(border.pid, seconds)
        took = []
        for i in range(samples):
            time.sleep(GAP_S)
            found = asker.ask(echo(to, i), lambda f: f[23] == 1 and f[34] == 0 and f[40:42] == struct.pack("!H", i))
            if found is None:
                raise RuntimeError(f"echo {i} has no answer")
            took.append(found[0] / 1e3)
        return {"percent": percent, "redis": redis, "wakes": wakes, "us": sorted(took)}
    finally:
        os.sched_setaffinity(0, set(cpus))
        if asker:
            asker.close()
        if border:
            border.send_signal(2)
            try:
                border.wait(15)
            except subprocess.TimeoutExpired:
                border.kill()
                border.wait()
        veths.close()
        shutil.rmtree(where, ignore_errors=True)


def naps(seconds=1.0):
    """Percent of a core that sleeping 50 us at a time costs: what the border did once."""
    ctypes.CDLL(None).prctl(29, 1000, 0, 0, 0)  # PR_SET_TIMERSLACK, as the workers do
    begun, used = time.monotonic(), time.process_time()
    while time.monotonic() < begun + seconds:
        time.sleep(50e-6)
    return (time.process_time() - used) / (time.monotonic() - begun) * 100


def machine(samples):
    """us that a process blocked in read() takes to wake on the worker's CPU, rung for each GAP_S: no border can be faster."""
    cpus = sorted(os.sched_getaffinity(0))
    ring, told = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.sched_setaffinity(0, {cpus[-1]})
        while (sent := os.read(ring[0], 8)) != bytes(8):
            os.write(told[1], struct.pack("q", time.perf_counter_ns() - struct.unpack("q", sent)[0]))
        os._exit(0)
    os.sched_setaffinity(0, {cpus[0]})
    took = []
    for _ in range(samples):
        time.sleep(GAP_S)
        os.write(ring[1], struct.pack("q", time.perf_counter_ns()))
        took.append(struct.unpack("q", os.read(told[0], 8))[0] / 1e3)
    os.write(ring[1], bytes(8))
    os.waitpid(child, 0)
    for fd in (*ring, *told):
        os.close(fd)
    os.sched_setaffinity(0, set(cpus))
    return sorted(took)


def run(seconds=5.0, samples=500):
    """Figures of both borders, and the raw values."""
    backoff, poll = measure("backoff", seconds, samples), measure("poll", seconds, samples)
    figures = [{"name": "idle CPU of the border, af_packet", "value": backoff["percent"], "unit": "%",
                "reference": "idle: poll", "reference_value": poll["percent"], "goal": 5, "better": "lower"},
               {"name": "  CPU of its Redis meanwhile", "value": backoff["redis"], "unit": "%",
                "reference": "idle: poll", "reference_value": poll["redis"], "better": "lower"}]
    figures.append({"name": "  CPU of sleeping 50 us at a time instead", "value": naps(), "unit": "%",
                    "reference": "the idle border", "reference_value": backoff["percent"], "better": "lower"})
    bare = machine(samples)
    for p in (50, 99):
        slow, fast = percentile(backoff["us"], p), percentile(poll["us"], p)
        figures.append({"name": f"waking of an idle border, af_packet, p{p}", "value": slow - fast, "unit": "us",
                        "reference": "a process blocked in read()", "reference_value": percentile(bare, p),
                        "goal": 100, "better": "lower"})
        figures.append({"name": f"  an echo of an idle border, p{p}", "value": slow, "unit": "us",
                        "reference": "the same echo, idle: poll", "reference_value": fast, "better": "lower"})
    return figures, {"backoff": backoff, "poll": poll, "machine": bare}


def main():
    figures, raw = run()
    for f in figures:
        print(json.dumps(f))
    print("wakes a second:", raw["backoff"]["wakes"], file=sys.stderr)


if __name__ == "__main__":
    main()

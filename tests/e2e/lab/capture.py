"""What crossed a wire: tcpdump in a namespace, and its file read back as packets and SIP."""

import os
import signal
import struct
import time


class Packet:
    __slots__ = ("at", "src", "sport", "dst", "dport", "payload", "frame", "fragment")

    def __init__(self, at, src, sport, dst, dport, payload, frame, fragment):
        self.at, self.src, self.sport = at, src, sport
        self.dst, self.dport, self.payload, self.frame = dst, dport, payload, frame
        self.fragment = fragment

    def is_sip(self):
        head = self.payload[:12]
        return head.startswith(b"SIP/2.0 ") or (
            head[:1].isalpha() and b" SIP/2.0\r\n" in self.payload[:2048])


class Capture:
    """tcpdump on one interface; stop() before packets()."""

    def __init__(self, net, ns, interface, name, expression="udp"):
        self.path = os.path.join(net.dir, f"{name}.pcap")
        self.proc = net.start(ns, "tcpdump", "-i", interface, "-n", "-U", "-s", "0", "-B", "8192",
                              "-Z", "root", "-w", self.path, *expression.split())
        end = time.monotonic() + 10
        while not os.path.exists(self.path) or os.path.getsize(self.path) < 24:
            if time.monotonic() > end or not self.proc.alive():
                raise RuntimeError(f"tcpdump did not start: {self.proc.text()}")
            time.sleep(0.02)

    def stop(self):
        time.sleep(0.2)
        self.proc.signal(signal.SIGINT)
        self.proc.wait(5)
        return self

    def packets(self):
        return list(read_pcap(self.path))


def _dotted(b):
    return ".".join(str(x) for x in b)


def read_pcap(path):
    with open(path, "rb") as f:
        data = f.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    fraction = 1e-9 if data[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1e-6
    at = 24
    while at + 16 <= len(data):
        sec, sub, caplen, _ = struct.unpack(order + "IIII", data[at:at + 16])
        frame = data[at + 16:at + 16 + caplen]
        at += 16 + caplen
        packet = _decode(sec + sub * fraction, frame)
        if packet:
            yield packet


def _decode(when, frame):
    off = 14
    kind = frame[12:14]
    if kind == b"\x81\x00":
        off, kind = 18, frame[16:18]
    if kind != b"\x08\x00" or len(frame) < off + 28:
        return None
    ip = frame[off:]
    ihl = (ip[0] & 15) * 4
    if ip[9] != 17:
        return None
    frag = struct.unpack("!H", ip[6:8])[0]
    total = struct.unpack("!H", ip[2:4])[0]
    if frag & 0x1fff:
        return Packet(when, _dotted(ip[12:16]), 0, _dotted(ip[16:20]), 0, ip[ihl:total], frame, True)
    sport, dport = struct.unpack("!HH", ip[ihl:ihl + 4])
    return Packet(when, _dotted(ip[12:16]), sport, _dotted(ip[16:20]), dport,
                  ip[ihl + 8:total], frame, bool(frag & 0x2000))


class Sip:
    """Just enough of a SIP message for a person to look at; no part of the border."""

    COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact",
               "l": "content-length", "c": "content-type", "s": "subject", "k": "supported"}

    def __init__(self, payload):
        text = payload.decode("utf-8", "replace")
        head, _, self.body = text.partition("\r\n\r\n")
        lines = head.replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n")
        self.start = lines[0]
        self.headers = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            self.headers.append((self.COMPACT.get(name, name), value.strip()))

    def all(self, name):
        return [v for n, v in self.headers if n == name]

    def get(self, name, default=""):
        return next((v for n, v in self.headers if n == name), default)

    @property
    def status(self):
        return int(self.start.split()[1]) if self.start.startswith("SIP/") else 0

    @property
    def method(self):
        return self.get("cseq").split()[-1] if self.status else self.start.split()[0]

    def brief(self):
        if self.status:
            return " ".join(self.start.split()[1:])
        return self.start.split()[0]

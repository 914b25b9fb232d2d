"""What measures must be able to say no: each instrument sees the fault that it is there for."""

import os
import signal
import socket
import struct
import subprocess
import time

from lab.callgen import TOOLS, CallGen, Owners
from lab.cluster import jump
from lab.netns import wait_for
from lab.peers import Border
from lab.redis import Redis
from lab.topology import CALLER, LOAD, OUTSIDE, Lab, config

ADDRESS = "203.0.113.11"


def _raw(lab, ns):
    with lab.inside(ns):
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        s.bind(("eth0", 0))
    return s


def _announce(s):
    mac, ip = s.getsockname()[4], socket.inet_aton(ADDRESS)
    s.send(b"\xff" * 6 + mac + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1) + mac + ip + bytes(6) + ip)


def _speak(s):
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 28, 0, 0, 64, 17, 0) + socket.inet_aton(ADDRESS) + socket.inet_aton(CALLER)
    total = sum(struct.unpack("!10H", ip))  # a bridge that filters drops what has no checksum
    total = ~((total & 0xffff) + (total >> 16)) & 0xffff
    s.send(b"\xff" * 6 + s.getsockname()[4] + b"\x08\x00" + ip[:10] + struct.pack("!H", total) + ip[12:] + bytes(8))


def case_owners_sees_two():
    """Frames from a hardware address that another has relieved are counted, those before are not."""
    with Lab("owners") as lab:
        first, second = (_raw(lab, lab.host("access", n, ip)) for n, ip in (("one", "203.0.113.91"), ("two", "203.0.113.92")))
        owners = Owners(lab, lab.access, "lan", [ADDRESS])

        def seen():
            return owners.report()["addresses"][ADDRESS]

        for act, wrong, changes in ((lambda: _announce(first), 0, 0), (lambda: _speak(first), 0, 0),
                                    (lambda: _announce(second), 0, 1), (lambda: _speak(second), 0, 1),
                                    (lambda: _speak(first), 1, 1), (lambda: _speak(second), 1, 1),
                                    (lambda: _announce(first), 1, 2)):
            before = seen()["frames"]
            act()
            wait_for("the frame to be seen", lambda: seen()["frames"] > before, 10)
            assert (seen()["wrong"], seen()["changes"]) == (wrong, changes), (seen(), wrong, changes)
        first.close()
        second.close()


def case_callgen_sees_losses():
    """A call that the border ends by itself is lost, a border that pauses makes a gap, and RTP that
    comes from elsewhere is a stranger's."""
    with Lab("callgen") as lab:
        ns, load = lab.host("access", "caller", CALLER), lab.host("core", "load", LOAD)
        border = Border(lab, lab.border, config(peer=LOAD))
        g = CallGen(lab, ns, CALLER, load, LOAD, [OUTSIDE])
        assert g.call(5, 20, 5)["calls"]["held"]["up"] == 5
        g.wait_media()
        g.say("mark")
        border.proc.signal(signal.SIGSTOP)
        time.sleep(1.5)
        assert g.report()["media"]["silent"] == 10
        border.proc.signal(signal.SIGCONT)
        g.wait_media()
        assert g.report()["media"]["gap_ms"]["worst"] >= 1400
        with lab.inside(load):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.sendto(bytes(172), (LOAD, 10000))
        s.close()
        g.wait("a stranger's packet to be counted", lambda r: r["media"]["strange_source"] == 1, 10)
        border.ctl("kill", border.ctl("calls")["calls"][0]["id"])
        report = g.wait("a lost call", lambda r: r["calls"]["held"]["lost"], 20)
        assert (report["calls"]["held"]["lost"], report["calls"]["held"]["up"]) == (1, 4), report["calls"]
        report = g.hang_up(20)
        assert report["calls"]["held"]["ended"] == 5 and report["requests"]["held"]["bye"]["ok"] == 4


def case_clockjump_moves_one_program():
    """A wall clock that jumps does so for the program that it is meant for, and for no other."""
    with Lab("clock") as lab:
        path = os.path.join(lab.dir, "clock")
        jump(path, -86400)
        env = dict(os.environ, LD_PRELOAD=os.path.join(TOOLS, "clockjump.so"), CLOCKJUMP=path)
        redis = Redis(lab, lab.border, "clock", unix=os.path.join(lab.dir, "clock.sock"), env=env)
        assert abs(time.time() - 86400 - int(redis.cli("TIME")[0])) < 60
        jump(path, 3600)
        assert abs(time.time() + 3600 - int(redis.cli("TIME")[0])) < 60
        said = subprocess.run(["date", "+%s"], capture_output=True, text=True, env=env).stdout
        assert abs(time.time() + 3600 - int(said)) < 60

#!/usr/bin/env python3
"""./dev demo: a phone behind a NAT, a hidden core, and audio both ways.

Every line with a mark is something that was seen, not something that was hoped
for: the exit code is 0 only if each of them was.
"""

import os
import random
import signal
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import audio, ladder  # noqa: E402
from lab.capture import Capture  # noqa: E402
from lab.netns import wait_for  # noqa: E402
from lab.peers import Baresip, Border, Kamailio, Sipp  # noqa: E402
from lab.topology import (ATTACKER, CALLER, DESK, INSIDE, LOAD, NAT_OUTSIDE, OUTSIDE, PBX, PHONE,  # noqa: E402
                          Lab, config)

E2E = os.path.dirname(os.path.abspath(__file__))

PICTURE = f"""
  alice's phone        home NAT            access network               core network
  {PHONE} --- {NAT_OUTSIDE} ---+                            +--- pbx   {PBX}  (Kamailio)
                                    +--- {OUTSIDE} Postern {INSIDE} ---+--- bob   {DESK}  (baresip)
        stranger {ATTACKER} -----+                            +--- load  {LOAD}  (SIPp)
        caller   {CALLER} -----+
"""

ALICE_TUNE = [0, 3, 5, 1, 7, 2, 6, 4, 0, 5]
BOB_TUNE = [7, 1, 4, 2, 0, 3, 6, 5, 2, 6]
TALK_S = 4


class Demo:
    def __init__(self):
        self.failed = []
        self.started = time.monotonic()

    def heading(self, text):
        print(f"\n== {text}", flush=True)

    def see(self, what, seen):
        print(f"   {'ok  ' if seen else 'FAIL'} {what}", flush=True)
        if not seen:
            self.failed.append(what)

    def run(self):
        print(PICTURE)
        with Lab("demo") as lab:
            self.build(lab)
            try:
                self.register()
                self.call("alice calls bob", self.alice, self.bob, f"sip:bob@{OUTSIDE}", attack=True)
                self.call("bob calls alice, through her NAT", self.bob, self.alice, f"sip:alice@{PBX}")
                self.load(lab)
                self.after()
            finally:
                self.wires()
            self.stop()
        self.heading(f"{'all seen' if not self.failed else 'NOT SEEN: ' + '; '.join(self.failed)}"
                     f" ({time.monotonic() - self.started:.0f} s)")
        return 1 if self.failed else 0

    def build(self, lab):
        self.heading("building the networks, starting the programs")
        self.lab = lab
        phone = lab.natted_phone()
        desk, pbx = lab.host("core", "desk", DESK), lab.host("core", "pbx", PBX)
        self.load_ns = lab.host("core", "load", LOAD)
        self.caller_ns = lab.host("access", "caller", CALLER)
        self.attacker_ns = lab.host("access", "stranger", ATTACKER)
        self.border = Border(lab, lab.border, config())
        # at the far ends of the border's cables: what it sends by itself no tap on its own side sees
        self.cap_out = Capture(lab, lab.access, "border", "access", "udp or icmp")
        self.cap_in = Capture(lab, lab.core, "border", "core", "udp or icmp")
        self.cap_stranger = Capture(lab, self.attacker_ns, "eth0", "stranger",
                                    f"udp and src host {OUTSIDE}")
        Kamailio(lab, pbx, PBX)
        self.bob = Baresip(lab, desk, "bob", PBX, BOB_TUNE, address=DESK)
        self.alice = Baresip(lab, phone, "alice", OUTSIDE, ALICE_TUNE, address=PHONE)
        self.see("Postern, Kamailio and two baresip phones are running", True)

    def register(self):
        self.heading("alice registers through the border, bob in the core")
        self.bob.wait_registered()
        self.alice.wait_registered()
        rows = self.border.ctl("registrations")["registrations"]
        self.see("the border holds alice's registration at the NAT's address",
                 len(rows) == 1 and rows[0]["user"] == "alice"
                 and rows[0]["source"].startswith(NAT_OUTSIDE + ":"))
        print(_indent(self.border.table("registrations")))

    def call(self, title, caller, callee, uri, attack=False):
        self.heading(title)
        known = len(caller.poll()), len(callee.poll())
        heard = {p: len(p.recordings()) for p in (caller, callee)}
        began = time.time()
        caller.dial(uri)
        caller.wait_event("CALL_ESTABLISHED", after=known[0])
        time.sleep(1)
        sprayed = self.spray() if attack else 0
        time.sleep(TALK_S - 1)
        flows = self.border.ctl("flows")["flows"]
        rtp = [f for f in flows if not f["rtcp"]]
        print(_indent(self.border.table("calls")))
        print(_indent(self.border.table("flows")))
        self.see("two RTP flows relayed, both locked to a proven source",
                 len(rtp) == 2 and all(f["locked"] and f["packets"] > 25 for f in rtp))
        # a softphone's first packets may leave before the far side's path stands
        self.see("no packet lost, no more than 2 late ones",
                 all(f["lost"] == 0 and f["duplicates"] <= 2 for f in rtp))
        access = [f for f in rtp if f["realm"] == "access"]
        self.see(f"alice's media latched at the NAT ({NAT_OUTSIDE})",
                 len(access) == 1 and access[0]["latched"]
                 and access[0]["remote"].startswith(NAT_OUTSIDE + ":"))
        if attack:
            refused = sum(f["refused"] for f in flows)
            self.see(f"a stranger sent {sprayed} packets at the media ports: {refused} refused at the"
                     " live flows, the rest had none", refused > 0)
        caller.hangup()
        for phone, n in ((caller, known[0]), (callee, known[1])):
            phone.wait_event("CALL_CLOSED", after=n)
        self.listen(caller, callee, heard[caller])
        self.listen(callee, caller, heard[callee])
        self.windows = getattr(self, "windows", []) + [(title, began, time.time())]

    def listen(self, listener, talker, known):
        """Compares what a phone decoded with what the other one played."""
        files = listener.recordings()[known:]
        samples = audio.read_wav(files[-1]) if files else []
        match = audio.longest_match(audio.digits_heard(samples), talker.digits)
        likeness = audio.correlation(samples, audio.tune(talker.digits)) if len(samples) else 0
        self.see(f"{listener.user} heard {talker.user}: {match} tones in order, correlation"
                 f" {likeness:.3f}", match >= 20 and likeness > 0.9)

    def spray(self):
        """RTP and garbage from a stranger at every media port of a window around the live ones."""
        ports = [f["port"] for f in self.border.ctl("flows")["flows"] if f["realm"] == "access"]
        targets = list(range(20000, 20400)) + ports * 20
        rng = random.Random(7)
        with self.lab.inside(self.attacker_ns):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for i, port in enumerate(targets):
            s.sendto(struct.pack("!BBHII", 0x80, 0, i & 0xffff, i * 160, 0xdeadbeef)
                     + rng.randbytes(160), (OUTSIDE, port))
        s.close()
        return len(targets)

    def load(self, lab):
        self.heading("SIPp: 100 calls at 50 a second, caller outside, answerer inside")
        uas = Sipp(lab, self.load_ns, "-sf", os.path.join(E2E, "sipp", "answer_uas.xml"), "-i", LOAD, "-p", "5060", "-mp", "7000",
                   name="uas")
        uac = Sipp(lab, self.caller_ns, "-sn", "uac", "-i", CALLER, "-p", "5060", "-mp", "7000",
                   "-s", "load1", "-r", "50", "-m", "100", "-d", "500", "-timeout", "40s",
                   f"{OUTSIDE}:5060", name="uac")
        code = uac.wait(60)
        row = uac.last()
        self.see(f"{row['SuccessfulCall(C)']} successful, {row['FailedCall(C)']} failed,"
                 f" {row['Retransmissions(C)']} retransmissions",
                 code == 0 and row["SuccessfulCall(C)"] == "100" and row["FailedCall(C)"] == "0")
        uas.proc.stop()

    def after(self):
        self.heading("after the calls")
        wait_for("all calls to be gone", lambda: self.border.status()["calls"] == 0, 10)
        wait_for("all transactions to end (their timers take up to 32 s)", self.border.is_empty, 45, 0.3)
        s = self.border.status()
        self.see(f"{s['calls_answered']} calls answered; 0 calls, 0 flows, 0 ports, 0 transactions left",
                 s["calls_answered"] >= 102)
        print(_indent(self.border.table("status")))
        print(_indent(self.border.table("drops")))

    def wires(self):
        for c in (self.cap_out, self.cap_in, self.cap_stranger):
            c.stop()
        outside, inside = ladder.sip_of(self.cap_out), ladder.sip_of(self.cap_in)
        for title, begin, end in getattr(self, "windows", []):
            left = [m for m in outside if begin <= m[0].at <= end and _is_call(m)]
            right = [m for m in inside if begin <= m[0].at <= end and _is_call(m)
                     and PBX in (m[0].src, m[0].dst)]
            self.heading(f"{title}: both legs")
            for line in ladder.draw(f"alice ({NAT_OUTSIDE})", f"pbx ({PBX})", left, right, OUTSIDE, INSIDE):
                print("   " + line)
            pair = [[m[1] for m in side if not m[1].status and m[1].method == "INVITE"] for side in (left, right)]
            if all(pair):
                print("\n   what the last INVITE looked like on each side:")
                for name, a, b in ladder.hidden(pair[0][-1], pair[1][-1]):
                    print(f"     {name:<12} outside {a}\n     {'':<12} inside  {b}")
        self.heading("what was hidden")
        for name, messages, own, others, other_own in (
                ("outside", outside, OUTSIDE, inside, INSIDE), ("inside", inside, INSIDE, outside, OUTSIDE)):
            secrets = ladder.secrets_of(others, other_own)
            sent = sum(1 for p, _ in messages if p.src == own)
            found = ladder.leaks(messages, own, secrets)
            self.see(f"{sent} messages sent {name}: searched for {len(secrets)} identifiers, addresses and"
                     f" names of the other side, {len(found)} found", sent > 0 and secrets and not found)
            for s, secret in found[:3]:
                print(f"        {secret!r} in {s.start}")
        bled = [p for p in self.cap_stranger.packets()]
        self.see(f"{len(bled)} packets sent to the stranger", not bled)

    def stop(self):
        self.heading("ending")
        self.border.proc.signal(15)
        self.see("Postern ended by itself on SIGTERM with exit code 0", self.border.proc.wait(20) == 0)


def _is_call(message):
    return message[1].method in ("INVITE", "ACK", "BYE", "CANCEL", "PRACK", "UPDATE")


def _indent(text):
    return "".join(f"      {line}\n" for line in text.rstrip("\n").split("\n"))


def _ended(_signal, _frame):
    """What was made is removed on the way out, and once only."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(143)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _ended)
    sys.exit(Demo().run())

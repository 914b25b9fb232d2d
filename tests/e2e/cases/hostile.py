"""Garbage and malice on the wire: named, counted, answered by RFC or not at all; never a crash."""

import random
import time

from cases.calls import OUT, Pair
from lab.netns import wait_for
from lab.topology import OUTSIDE
from lab.ua import establish, hang_up


def case_garbage_beside_a_call():
    """Ten thousand pieces of garbage while a call is up: the call goes on, each piece is counted."""
    with Pair() as p:
        call = establish(p.caller, p.callee, OUT, f"sip:bob@{OUTSIDE}")
        rng = random.Random(4)
        before = sum(p.border.drops().values())
        good = p.caller.request("INVITE", call["uri"], call, 9, body=p.caller.sdp()).encode()
        for i in range(10000):
            kind = i % 4
            if kind == 0:
                data = rng.randbytes(rng.randrange(1, 1400))
            elif kind == 1:
                data = b"\x00" * rng.randrange(1, 200)
            elif kind == 2:
                data = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
            else:
                cut = bytearray(good[:rng.randrange(1, 60)])
                cut[rng.randrange(len(cut))] ^= 0xff
                data = bytes(cut)
            p.caller.send(data, OUT)
            if i % 64 == 63:  # what the kernel's ring cannot hold, the border never saw
                time.sleep(0.004)
        p.caller.seen.clear()
        wait_for("the garbage to be counted",
                 lambda: sum(p.border.drops().values()) - before >= 9000, 20)
        p.caller.rtp_send(call["caller_media"], 10, 0.01)
        assert p.callee.rtp_receive(0.5)
        while p.caller.receive(0.2)[0]:
            pass
        hang_up(p.caller, p.callee, OUT, call)


def case_broken_requests_are_answered():
    """What is SIP but wrong gets the status that RFC 3261 names."""
    with Pair() as p:
        def ask(change, expect, method="INVITE", **kw):
            call = p.caller.new_call(f"sip:bob@{OUTSIDE}")
            text = p.caller.request(method, call["uri"], call, 1, **kw)
            p.caller.send(change(text), OUT)
            return p.caller.expect(expect)

        body = p.caller.sdp()
        ask(lambda t: t.replace("Max-Forwards: 70", "Max-Forwards: 0"), 483, body=body)
        ask(lambda t: t.replace(" SIP/2.0\r\n", " SIP/3.0\r\n", 1), 505, body=body)
        ask(lambda t: t.replace("Content-Length: ", "Content-Length: 9"), 400, body=body)
        ask(lambda t: t.replace("sip:bob", "mailto:bob", 1), 416, body=body)
        ask(lambda t: t, 405, method="SUBSCRIBE", headers="Event: presence\r\n")
        ask(lambda t: t.replace("CSeq: 1 INVITE", "CSeq: 1 FROBNICATE").replace("INVITE sip", "FROBNICATE sip"), 501)
        bad = ask(lambda t: t, 420, headers="Require: quantum\r\n", body=body)
        assert "quantum" in bad.get("unsupported")
        ask(lambda t: t.replace("application/sdp", "application/x-zebra"), 415, body=body)
        ask(lambda t: t, 400, body="this is not SDP\r\n")
        ask(lambda t: t, 488, body=body.replace("RTP/AVP", "TCP/MSRP"))
        ask(lambda t: t, 481, method="BYE", to_tag="nobody")
        options = ask(lambda t: t, 200, method="OPTIONS")
        assert "INVITE" in options.get("allow")
        drops = p.border.drops()
        for reason in ("sip-max-forwards", "sip-version", "sip-bad-request", "sip-scheme", "sip-method",
                       "sip-extension", "sip-media-type", "call-sdp-bad", "call-sdp-refused", "sip-no-dialog"):
            assert drops.get(reason, 0) >= 1, (reason, drops)
        assert p.border.status()["calls"] == 0


def case_fragmented_invite():
    """An INVITE of several fragments is reassembled, and what is longer than the MTU leaves in fragments."""
    with Pair() as p:
        pad = "".join(f"a=fmtp:0 padding-{i:03d}-{'x' * 60}\r\n" for i in range(50))
        call = establish(p.caller, p.callee, OUT, f"sip:bob@{OUTSIDE}", body=p.caller.sdp(extra=pad))
        assert call["invite"].body.count("a=fmtp:0 padding-") == 50
        hang_up(p.caller, p.callee, OUT, call)

"""Media through the border: relayed where it belongs, and nowhere else."""

import struct
import time

from cases.calls import OUT, Pair
from lab.capture import Capture
from lab.netns import wait_for
from lab.topology import ATTACKER, INSIDE, OUTSIDE
from lab.ua import Ua, establish, hang_up


def _flows(border, rtcp=False):
    return {f["realm"]: f for f in border.ctl("flows")["flows"] if f["rtcp"] == rtcp}


def case_rtp_both_ways():
    """RTP and RTCP cross both ways, unchanged in payload, from the ports that SDP named."""
    with Pair() as p:
        call = establish(p.caller, p.callee, OUT, f"sip:bob@{OUTSIDE}")
        p.caller.rtp_send(call["caller_media"], 20, 0.01, payload=b"from the caller " * 10)
        got = p.callee.rtp_receive(0.5)
        assert got and all(src == (INSIDE, call["callee_media"][1]) for _, src in got), got[:2]
        assert all(d[12:] == b"from the caller " * 10 for d, _ in got)
        # those of the first packets that prove the source are held back, and no more
        assert 18 <= len(got) <= 20, len(got)
        p.callee.rtp_send(call["callee_media"], 20, 0.01, payload=b"from the callee " * 10)
        got = p.caller.rtp_receive(0.5)
        assert len(got) == 20 and all(src == call["caller_media"] for _, src in got), len(got)
        access = _flows(p.border)["access"]
        assert access["latched"] and access["locked"] and access["lost"] == 0
        hang_up(p.caller, p.callee, OUT, call)
        wait_for("flows to go", lambda: p.border.status()["flows"] == 0, 10)


def case_further_media_addresses():
    """Calls take turns over a realm's media addresses: each call's media goes by the addresses that its
    descriptions named, both ways, and posternctl shows them."""
    with Pair(access_extra='    media_addresses: ["203.0.113.64-203.0.113.65"]',
              core_extra='    media_addresses: ["10.0.0.64"]') as p:
        seen = set()
        for i in range(3):
            call = establish(p.caller, p.callee, OUT, f"sip:b{i}@{OUTSIDE}")
            p.caller.rtp_send(call["caller_media"], 20, 0.01, payload=b"from the caller " * 10)
            got = p.callee.rtp_receive(0.5)
            assert 18 <= len(got) <= 20 and all(src == call["callee_media"] for _, src in got), got[:2]
            p.callee.rtp_send(call["callee_media"], 20, 0.01, payload=b"from the callee " * 10)
            got = p.caller.rtp_receive(0.5)
            assert len(got) == 20 and all(src == call["caller_media"] for _, src in got), got[:2]
            flows = _flows(p.border)
            assert (flows["access"]["address"], flows["access"]["port"]) == call["caller_media"]
            assert (flows["core"]["address"], flows["core"]["port"]) == call["callee_media"]
            seen.update((call["caller_media"][0], call["callee_media"][0]))
            hang_up(p.caller, p.callee, OUT, call)
            wait_for("flows to go", lambda: p.border.status()["flows"] == 0, 10)
        assert seen == {OUTSIDE, "203.0.113.64", "203.0.113.65", INSIDE, "10.0.0.64"}, seen


def case_rtcp():
    """RTCP crosses on the ports next to RTP's."""
    with Pair() as p:
        rtcp_out = Ua(p.lab, p.caller_ns, p.caller.ip, 5070, p.caller.rtp_port + 1)
        rtcp_in = Ua(p.lab, p.callee_ns, p.callee.ip, 5070, p.callee.rtp_port + 1)
        call = establish(p.caller, p.callee, OUT, f"sip:bob@{OUTSIDE}")
        p.caller.rtp_send(call["caller_media"], 5, 0.01)
        p.callee.rtp_receive(0.2)
        report = struct.pack("!BBHI", 0x80, 201, 1, p.caller.ssrc)
        host, port = call["caller_media"]
        for _ in range(3):
            rtcp_out.rtp.sendto(report, (host, port + 1))
        got = rtcp_in.rtp_receive(0.5)
        assert got and got[-1] == (report, (INSIDE, call["callee_media"][1] + 1)), got
        hang_up(p.caller, p.callee, OUT, call)


def case_injected_media_goes_nowhere():
    """A stranger sends at all media ports before, while and after the caller latches: nothing
    of it reaches the callee, and the stranger is sent nothing."""
    with Pair() as p:
        stranger_ns = p.lab.host("access", "stranger", ATTACKER)
        stranger = Ua(p.lab, stranger_ns, ATTACKER)
        capture = Capture(p.lab, stranger_ns, "eth0", "stranger", f"udp and src host {OUTSIDE}")
        call = establish(p.caller, p.callee, OUT, f"sip:bob@{OUTSIDE}")
        host, port = call["caller_media"]
        evil = b"evil" * 40

        def spray():
            for at in range(max(20000, port - 60), port + 60):
                stranger.rtp_send((host, at), 4, payload=evil)
            stranger.rtp_send((host, port), 50, payload=evil)
            stranger.rtp_send((host, port), 5, payload=evil, ssrc=p.caller.ssrc)

        spray()
        p.callee.rtp_send(call["callee_media"], 10, 0.005)  # towards a caller not yet proven
        p.caller.rtp_send(call["caller_media"], 10, 0.01, payload=b"good" * 40)
        spray()
        p.callee.rtp_send(call["callee_media"], 10, 0.005)
        heard = p.callee.rtp_receive(0.5)
        assert heard and not any(evil in d for d, _ in heard), len(heard)
        assert len(p.caller.rtp_receive(0.5)) == 10
        assert _flows(p.border)["access"]["refused"] >= 100
        capture.stop()
        assert not capture.packets()
        drops = p.border.drops()
        assert drops.get("flow-none", 0) > 100 and drops.get("flow-gate", 0) >= 50, drops
        assert drops.get("flow-source", 0) >= 50 and drops.get("flow-unproven", 0) >= 10, drops
        hang_up(p.caller, p.callee, OUT, call)
        stranger.close()


def case_silent_call_is_ended():
    """With a media timeout, a call whose media falls silent on both sides is ended by the border."""
    with Pair(access_extra="    media_timeout: 2", core_extra="    media_timeout: 2") as p:
        call = establish(p.caller, p.callee, OUT, f"sip:bob@{OUTSIDE}")
        p.caller.rtp_send(call["caller_media"], 10, 0.01)
        began = time.monotonic()
        for agent in (p.caller, p.callee):
            bye = agent.expect("BYE", 20)
            agent.send(agent.answer(bye, 200, "OK"), agent.last_source)
        assert time.monotonic() - began > 1.5
        wait_for("the call to go", lambda: p.border.status()["calls"] == 0, 5)

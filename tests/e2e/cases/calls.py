"""Calls between real user agents: SIPp and hand-held ones."""

import os
import time

from lab import audio
from lab.capture import Capture
from lab.ladder import leaks, secrets_of, sip_of
from lab.netns import wait_for
from lab.peers import Baresip, Border, Kamailio, Sipp
from lab.topology import CALLER, INSIDE, LOAD, NAT_OUTSIDE, OUTSIDE, PBX, PHONE, Lab, config
from lab.ua import Ua, contact_uri, establish, hang_up, sdp_media, tag_of

OUT = (OUTSIDE, 5060)
SCENARIOS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "sipp")


class Pair:
    """A border with one hand-held agent on each side."""

    def __init__(self, **settings):
        self.lab = Lab("case")
        self.caller_ns = self.lab.host("access", "caller", CALLER)
        self.callee_ns = self.lab.host("core", "pbx", PBX)
        self.border = Border(self.lab, self.lab.border, config(**settings))
        self.caller = Ua(self.lab, self.caller_ns, CALLER)
        self.callee = Ua(self.lab, self.callee_ns, PBX)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            print(self.border.proc.text()[-3000:])
        self.caller.close()
        self.callee.close()
        self.lab.close()


def case_plain_call():
    """INVITE to BYE, with new identifiers on the other side, and nothing left afterwards."""
    with Pair() as p:
        call = establish(p.caller, p.callee, OUT, f"sip:bob@{OUTSIDE}")
        invite = call["invite"]
        assert invite.get("call-id") != call["id"]
        assert CALLER not in repr(invite.headers) + invite.start + invite.body
        assert call["callee_media"][0] == INSIDE and call["caller_media"][0] == OUTSIDE
        assert PBX not in repr(call["ok"].headers) + call["ok"].body
        assert p.border.status()["calls_established"] == 1
        hang_up(p.caller, p.callee, OUT, call)
        wait_for("the call to go", lambda: p.border.status()["calls"] == 0, 10)
        p.border.wait_empty()


def case_two_workers():
    """Forty calls over two workers: each is served, whichever worker its packets come to."""
    with Pair(workers=2) as p:
        calls = [establish(p.caller, p.callee, OUT, f"sip:b{i}@{OUTSIDE}") for i in range(40)]
        status = p.border.status()
        assert status["calls_established"] == 40
        owners = {c["worker"] for c in p.border.ctl("calls")["calls"]}
        assert owners == {0, 1}, owners
        for c in calls[:4] + calls[-4:]:
            p.caller.rtp_send(c["caller_media"], 3)
        p.caller.rtp_send(calls[0]["caller_media"], 5, 0.01)
        assert p.callee.rtp_receive(0.5)
        for c in calls:
            hang_up(p.caller, p.callee, OUT, c)
        wait_for("the calls to go", lambda: p.border.status()["calls"] == 0, 10)


def case_registered_phone_is_called():
    """A phone registers, and a call from the core reaches it at its source, over two workers."""
    with Pair(workers=2) as p:
        for i in range(6):
            reg = p.caller.new_call(f"sip:phone{i}@{OUTSIDE}")
            p.caller.send(p.caller.request("REGISTER", f"sip:{OUTSIDE}", reg, 1, from_user=f"phone{i}",
                                           headers="Expires: 300\r\n"), OUT)
            request = p.callee.expect("REGISTER")
            contact = contact_uri(request)
            assert CALLER not in contact and INSIDE in contact
            p.callee.send(p.callee.answer(request, 200, "OK", tag=f"r{i}").replace(
                f"Contact: <sip:answer@{PBX}:5060>", f"Contact: <{contact}>;expires=120"), p.callee.last_source)
            ok = p.caller.expect("200")
            assert f"phone{i}@{CALLER}" in ok.get("contact") and "expires=120" in ok.get("contact")
            call = establish(p.callee, p.caller, (INSIDE, 5060), contact)
            assert f"phone{i}@{CALLER}" in call["invite"].start
            hang_up(p.callee, p.caller, (INSIDE, 5060), call)
        assert p.border.status()["registrations"] == 6


def case_cancel():
    """CANCEL reaches the callee, the caller gets 200 and 487, nothing stays."""
    with Pair() as p:
        call = p.caller.new_call(f"sip:bob@{OUTSIDE}")
        p.caller.send(p.caller.request("INVITE", call["uri"], call, 1, body=p.caller.sdp(),
                                       branch="z9hG4bKcancelme"), OUT)
        invite = p.callee.expect("INVITE")
        source = p.callee.last_source
        p.callee.send(p.callee.answer(invite, 180, "Ringing", tag="x"), source)
        p.caller.expect("180")
        p.caller.send(p.caller.request("CANCEL", call["uri"], call, 1, branch="z9hG4bKcancelme"), OUT)
        cancel = p.callee.expect("CANCEL")
        assert cancel.get("via") == invite.get("via")
        p.callee.send(p.callee.answer(cancel, 200, "OK"), source)
        p.callee.send(p.callee.answer(invite, 487, "Request Terminated", tag="x"), source)
        got = {p.caller.receive(5)[0].status for _ in range(2)}
        assert got == {200, 487}, got
        p.callee.expect("ACK")
        p.caller.send(p.caller.request("ACK", call["uri"], call, 1, branch="z9hG4bKcancelme"), OUT)
        wait_for("the call to go", lambda: p.border.status()["calls"] == 0, 40)


def case_hold_and_resume():
    """Re-INVITE from the callee holds and resumes, with SDP rewritten and its version raised."""
    with Pair() as p:
        call = establish(p.caller, p.callee, OUT, f"sip:bob@{OUTSIDE}")
        back = {"id": call["invite"].get("call-id"), "tag": "callee", "to": "sip:x@x"}
        target = contact_uri(call["invite"])
        for n, direction in ((100, "sendonly"), (101, "sendrecv")):
            request = p.callee.request("INVITE", target, back, n, body=p.callee.sdp(direction))
            request = request.replace("To: <sip:x@x>", f"To: {call['invite'].get('from')}").replace(
                "From: <sip:caller@", "From: <sip:bob@")
            p.callee.send(request, call["callee_border"])
            held = p.caller.expect("INVITE")
            assert f"a={direction}" in held.body or direction == "sendrecv", held.body
            assert PBX not in held.body
            mirror = {"sendonly": "recvonly"}.get(direction, direction)
            p.caller.send(p.caller.answer(held, 200, "OK", body=p.caller.sdp(mirror)), OUT)
            ok = p.callee.expect("200")
            assert CALLER not in ok.body
            p.callee.send(request.replace("INVITE", "ACK").split("Content-Type")[0]
                          + "Content-Length: 0\r\n\r\n", call["callee_border"])
            p.caller.expect("ACK")
        hang_up(p.caller, p.callee, OUT, call)


def case_sipp_scenarios():
    """SIPp callers and answerers: busy, BYE from the callee, late answer, all hidden on both wires."""
    with Lab("sipp") as lab:
        caller = lab.host("access", "caller", CALLER)
        load = lab.host("core", "load", LOAD)
        border = Border(lab, lab.border, config(peer=LOAD))
        out, inside = Capture(lab, lab.access, "border", "out"), Capture(lab, lab.core, "border", "in")
        for name in ("busy", "bye_from_callee", "slow_answer", "late_offer"):
            uas = Sipp(lab, load, "-sf", f"{SCENARIOS}/{name}_uas.xml", "-i", LOAD, "-p", "5060", "-mp", "7000",
                       "-m", "20", name=f"{name}-uas")
            uac = Sipp(lab, caller, "-sf", f"{SCENARIOS}/{name}_uac.xml", "-i", CALLER, "-p", "5060", "-mp",
                       "7000", "-s", "bob", "-r", "20", "-m", "20", "-timeout", "40s", f"{OUTSIDE}:5060",
                       name=f"{name}-uac")
            assert uac.wait(60) == 0, f"{name}: {uac.last()} {uac.error_text()[:1500]}"
            assert uas.wait(20) == 0, f"{name} uas: {uas.error_text()[:1500]}"
            uas.proc.stop()
        out.stop()
        inside.stop()
        a, b = sip_of(out), sip_of(inside)
        assert len(a) > 200 and len(b) > 200
        assert not leaks(a, OUTSIDE, secrets_of(b, INSIDE))
        assert not leaks(b, INSIDE, secrets_of(a, OUTSIDE))
        wait_for("the calls to go", lambda: border.status()["calls"] == 0, 40)


def case_callee_dies():
    """A callee that falls silent in mid-call: the caller's BYE is answered and all ends by timers."""
    with Pair(node_extra="  t1: 100\n") as p:
        call = establish(p.caller, p.callee, OUT, f"sip:bob@{OUTSIDE}")
        p.callee.sock.close()
        call["cseq"] += 1
        p.caller.send(p.caller.request("BYE", call["contact"], call, 2, to_tag=call["to_tag"]), OUT)
        p.caller.expect("200")
        p.border.wait_empty(40)


def case_killed_by_operator():
    """posternctl kill ends a call on both sides."""
    with Pair() as p:
        call = establish(p.caller, p.callee, OUT, f"sip:bob@{OUTSIDE}")
        rows = p.border.ctl("calls")["calls"]
        assert len(rows) == 1 and rows[0]["from"]["call_id"] == call["id"]
        assert rows[0]["state"] == "answered"
        p.border.ctl("kill", rows[0]["id"])
        for agent in (p.caller, p.callee):
            bye = agent.expect("BYE")
            agent.send(agent.answer(bye, 200, "OK"), agent.last_source)
        wait_for("the call to go", lambda: p.border.status()["calls"] == 0, 5)
        time.sleep(0.1)
        assert tag_of(call["ok"], "to") and sdp_media(call["ok"])[1]


def case_two_phones_of_one_border():
    """Two natted phones that register through one border call each other through the proxy inside."""
    tunes = {"alice": [0, 3, 5, 1, 7, 2, 6, 4, 0, 5], "carol": [7, 1, 4, 2, 0, 3, 6, 5, 2, 6]}
    homes = {"alice": (PHONE, NAT_OUTSIDE), "carol": ("192.168.78.10", "203.0.113.51")}
    with Lab("pair") as lab:
        hosts = {user: lab.natted_phone(user, "nat" + user[0], outside, inside)
                 for user, (inside, outside) in homes.items()}
        Kamailio(lab, lab.host("core", "pbx", PBX), PBX)
        border = Border(lab, lab.border, config(workers=2))
        out, inside = Capture(lab, lab.access, "border", "out"), Capture(lab, lab.core, "border", "in")
        phones = {user: Baresip(lab, hosts[user], user, OUTSIDE, tunes[user], address=homes[user][0])
                  for user in homes}
        for phone in phones.values():
            phone.wait_registered()
        for caller, callee in (("alice", "carol"), ("carol", "alice")):
            _phones_talk(border, phones[caller], phones[callee], homes)
        out.stop()
        inside.stop()
        a, b = sip_of(out), sip_of(inside)
        assert not leaks(a, OUTSIDE, secrets_of(b, INSIDE))
        assert not leaks(b, INSIDE, secrets_of(a, OUTSIDE))
        # from one call to the other media takes no way over the wire
        assert not [p for p in inside.packets() if p.sport >= 30000 or p.dport >= 30000]
        border.wait_empty()


def _phones_talk(border, caller, callee, homes):
    known = {p: (len(p.poll()), len(p.recordings())) for p in (caller, callee)}
    caller.dial(f"sip:{callee.user}@{OUTSIDE}")
    for p in (caller, callee):
        p.wait_event("CALL_ESTABLISHED", after=known[p][0])
    time.sleep(4)
    assert border.status()["calls_established"] == 2
    rtp = [f for f in border.ctl("flows")["flows"] if not f["rtcp"]]
    assert len(rtp) == 4 and all(f["locked"] and f["packets"] > 100 for f in rtp), rtp
    for address in (outside for _, outside in homes.values()):
        assert [f for f in rtp if f["latched"] and f["remote"].startswith(address + ":")], rtp
    assert len([f for f in rtp if f["remote"].startswith(INSIDE + ":")]) == 2, rtp
    caller.hangup()
    for p in (caller, callee):
        p.wait_event("CALL_CLOSED", after=known[p][0])
    wait_for("both calls to go", lambda: border.status()["calls"] == 0, 10)
    for listener, talker in ((caller, callee), (callee, caller)):
        samples = audio.read_wav(listener.recordings()[known[listener][1]:][-1])
        match = audio.longest_match(audio.digits_heard(samples), talker.digits)
        likeness = audio.correlation(samples, audio.tune(talker.digits))
        assert match >= 20 and likeness > 0.9, (listener.user, match, likeness)

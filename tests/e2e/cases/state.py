"""A node alone: its calls and registrations outlive its process, and Redis's troubles are not theirs."""

import glob
import json
import os
import subprocess
import threading
import time

from cases.calls import OUT
from lab.callgen import CallGen
from lab.netns import wait_for
from lab.peers import Border
from lab.redis import Redis
from lab.topology import CALLER, INSIDE, LOAD, NAT_OUTSIDE, OUTSIDE, PBX, PHONE, Lab, config
from lab.ua import Ua, contact_uri, establish, hang_up

CALLS, STREAMS = 60, 12
OUTAGE_CPS = int(os.environ.get("POSTERN_OUTAGE_CPS", "50"))
OUTAGE_S = int(os.environ.get("POSTERN_OUTAGE_SECONDS", "5"))


class Held:
    """A border, callers behind a NAT (or not), answerers, and calls that are up."""

    def __init__(self, calls=CALLS, streams=STREAMS, nat=True, workers=1, redis=None, cps=200, prepare=None):
        self.lab = Lab("state")
        try:
            if nat:
                ns, ip = self.lab.natted_phone(), PHONE
            else:
                ns, ip = self.lab.host("access", "caller", CALLER), CALLER
            answer = self.lab.host("core", "load", LOAD)
            if prepare:
                redis = prepare(self)
            self.border = Border(self.lab, self.lab.border, config(peer=LOAD, workers=workers, cps=cps, calls=4000,
                                                                   state=redis))
            self.g = CallGen(self.lab, ns, ip, answer, LOAD, [OUTSIDE])
            self.calls = calls
            if calls:
                up = self.g.call(calls, 100, streams)["calls"]["held"]["up"]
                assert up == calls, up
                self.g.wait_media()
        except BaseException:
            self.__exit__(Exception, None, None)
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None and hasattr(self, "border"):
            print(self.border.proc.text()[-3000:])
        self.lab.close()

    def restart(self):
        """kill -9, and started again: it has its calls back."""
        self.border.kill()
        self.border.start()
        self.wait_restored()

    def wait_restored(self):
        wait_for(f"{self.calls} calls to be restored",
                 lambda: self.border.status()["calls_established"] == self.calls, 60)

    def flows(self):
        return {(f["realm"], f["port"]): f for f in self.border.ctl("flows")["flows"]}

    def settled(self):
        """No call degraded and nothing owed or waiting to be written."""
        s = self.border.status()["store"]
        return s["up"] and s["degraded"] == s["owed"] == s["waiting"] == s["underway"] == 0

    def wait_settled(self):
        wait_for("everything owed to be in Redis", self.settled, 60, 0.1)

    def requests(self):
        """Session refresh and re-INVITE from both sides, BYE from half each: all are answered."""
        for kind in ("update", "reinvite"):
            for side in ("caller", "callee"):
                self.g.sweep(kind, side, 100)
        report = self.g.hang_up(100)
        for c in ("held", "early"):
            assert report["calls"][c]["lost"] == report["calls"][c]["stranger_bye"] == 0, report["calls"]
            for kind in ("update", "reinvite", "bye"):
                t = report["requests"][c][kind]
                assert t["ok"] == t["sent"], (c, kind, t)
        m = report["media"]
        assert m["strange_source"] == m["crosstalk"] == 0, m
        time.sleep(0.6)
        self.g.say("knock")
        time.sleep(0.2)
        assert self.g.report()["media"]["after_end"] == 0
        wait_for("nothing of the calls to be left", lambda: all(
            self.border.status()[k] == 0 for k in ("calls", "flows", "ports_used")), 30)
        return report

    # ---- Redis of its own ----

    def socket(self):
        found = glob.glob(os.path.join(self.lab.dir, "border-state", "**", "*.sock"), recursive=True)
        assert len(found) == 1, found
        return found[0]

    def cli(self, *words):
        done = subprocess.run(["redis-cli", "-s", self.socket(), *words], capture_output=True, text=True, timeout=20)
        assert done.returncode == 0 and not done.stdout.startswith(("ERR", "(error)")), done.stdout + done.stderr
        return done.stdout.strip().split("\n") if done.stdout.strip() else []

    def records(self, kind="call"):
        return self.cli("--scan", "--pattern", f"postern:edge1:edge1:{kind}:*")


def case_killed_and_started():
    """kill -9 and start: every established call goes on, with its media as it had latched behind the NAT,
    the flows and ports are those of before, and every request within them is answered by both sides."""
    with Held() as h:
        before = h.flows()
        used = h.border.status()["ports_used"]
        h.restart()
        h.g.wait_media()
        after = h.flows()
        assert set(after) == set(before), set(after) ^ set(before)
        assert h.border.status()["ports_used"] == used
        for key, flow in before.items():
            if flow["latched"]:
                assert after[key]["latched"] and after[key]["remote"] == flow["remote"], (flow, after[key])
        assert sum(f["latched"] and f["remote"].startswith(NAT_OUTSIDE + ":") for f in after.values()) >= STREAMS
        h.requests()


def case_killed_again_and_again():
    """Three kills in a row, the last after changes: nothing is lost, two workers."""
    with Held(nat=False, workers=2) as h:
        h.restart()
        h.restart()
        h.g.sweep("reinvite", "callee", 100)
        h.wait_settled()
        h.restart()
        h.g.wait_media()
        h.requests()


def case_early_dialogs():
    """Calls that ring when the process is killed are answered after the start, or cancelled."""
    with Held(calls=10, streams=4) as h:
        h.g.say("early 20 100")
        h.g.wait("the calls to ring", lambda r: r["calls"]["early"]["ringing"] == 20)
        h.wait_settled()
        h.restart()
        h.g.say("answer")
        h.g.wait("the calls to be answered", lambda r: r["calls"]["early"]["up"] == 20, 60)
        h.g.say("early 20 100")
        h.g.wait("more calls to ring", lambda r: r["calls"]["early"]["ringing"] == 20)
        h.calls = 30
        h.wait_settled()
        h.restart()
        h.g.say("cancel")
        report = h.g.wait("the calls to be cancelled", lambda r: r["calls"]["early"]["ended"] == 20, 60)
        assert report["calls"]["early"]["cancelled"] == 20, report["calls"]
        h.requests()


def case_registrations():
    """A phone behind a NAT is called right after kill -9 and start, at the address its NAT gave it."""
    with Lab("state") as lab:
        phone_ns, pbx_ns = lab.natted_phone(), lab.host("core", "pbx", PBX)
        border = Border(lab, lab.border, config())
        phone, pbx = Ua(lab, phone_ns, PHONE), Ua(lab, pbx_ns, PBX)
        reg = phone.new_call(f"sip:alice@{OUTSIDE}")
        phone.send(phone.request("REGISTER", f"sip:{OUTSIDE}", reg, 1, from_user="alice",
                                 headers="Expires: 300\r\n"), OUT)
        request = pbx.expect("REGISTER")
        contact = contact_uri(request)
        pbx.send(pbx.answer(request, 200, "OK", tag="r").replace(
            f"Contact: <sip:answer@{PBX}:5060>", f"Contact: <{contact}>;expires=300"), pbx.last_source)
        phone.expect("200")
        row = border.ctl("registrations")["registrations"][0]
        assert row["source"].startswith(NAT_OUTSIDE + ":"), row
        wait_for("the registration to be in Redis", lambda: border.status()["store"]["owed"] == 0, 20)
        border.kill()
        border.start()
        wait_for("the registration to be restored", lambda: border.status()["registrations"] == 1, 30)
        again = border.ctl("registrations")["registrations"][0]
        assert (again["source"], again["user"], again["contact"]) == (row["source"], row["user"], row["contact"])
        call = establish(pbx, phone, (INSIDE, 5060), contact)
        assert f"alice@{PHONE}" in call["invite"].start
        hang_up(pbx, phone, (INSIDE, 5060), call)
        phone.close()
        pbx.close()


def case_nothing_kept():
    """`durable: none`: no Redis runs, calls work and answers wait for nothing; a kill ends them for good."""
    with Held(calls=10, streams=2, prepare=lambda h: "durable: none") as h:
        store = h.border.status()["store"]
        assert not store["kept"] and not store["up"] and store["degraded"] == store["owed"] == 0, store
        assert not glob.glob(os.path.join(h.lab.dir, "border-state", "**", "*.sock"), recursive=True)
        h.requests()
        assert h.border.status()["store"]["puts"] == 0
        h.g.call(5, 100)
        h.border.kill()
        h.border.start()
        assert h.border.status()["calls"] == 0
        h.border.proc.signal(2)
        assert h.border.proc.wait(30) == 0


def case_readable():
    """redis-cli shows a call as lines that a person reads; every record expires; ended calls are gone."""
    with Held(calls=20, streams=4) as h:
        h.wait_settled()
        keys = h.records()
        assert len(keys) == 20, keys
        index = h.cli("SMEMBERS", "postern:edge1:edge1:index")
        assert sorted(index) == sorted("call:" + k.rsplit(":", 1)[1] for k in keys)
        for key in keys:
            assert 0 < int(h.cli("TTL", key)[0]) <= 90000, key
        # A value may have lines of its own (the ACK that is kept), so lines do not tell fields apart.
        fields = json.loads("\n".join(h.cli("--json", "HGETALL", keys[0])))
        said = dict(l.split("=", 1) for l in f"{fields['call']}\n{fields['now']}".split("\n"))
        assert fields["v"].isdigit() and said["id"] == keys[0].rsplit(":", 1)[1], fields
        assert said["state"] == "answered" and said["caller.realm"] == "access", fields
        for name, value in fields.items():
            assert name.isprintable() and value.replace("\r", "").replace("\n", "").isprintable(), (name, value)
        text = " ".join(fields.values())
        assert OUTSIDE in text and INSIDE in text and LOAD in text and "access" in text, text
        h.requests()
        wait_for("the records of ended calls to be gone", lambda: not h.records(), 30, 0.2)


def case_own_redis_killed():
    """The node's own Redis is killed: it is started again and has every call, new ones too."""
    with Held(nat=False) as h:
        h.wait_settled()
        pid = int(next(l for l in h.cli("INFO", "server") if l.startswith("process_id:")).split(":")[1])
        h.g.say("churn 20 300")
        os.kill(pid, 9)
        wait_for("another redis-server", lambda: h.border.status()["store"]["up"] and _pid(h) not in (None, pid), 60)
        report = h.g.end_churn()
        assert report["calls"]["churn"]["failed"] == report["calls"]["churn"]["lost"] == 0, report
        h.wait_settled()
        wait_for("every call's record", lambda: len(h.records()) == h.calls, 30, 0.2)
        h.restart()
        h.g.wait_media()
        h.requests()


def _pid(h):
    try:
        return int(next(l for l in h.cli("INFO", "server") if l.startswith("process_id:")).split(":")[1])
    except (AssertionError, StopIteration):
        return None


def case_stopped_in_order():
    """SIGINT ends the node at once without ending its calls' far ends; its Redis ends with it."""
    with Held(calls=10, streams=4) as h:
        pid = _pid(h)
        h.border.proc.signal(2)
        assert h.border.proc.wait(30) == 0
        wait_for("its redis-server to end", lambda: not os.path.exists(f"/proc/{pid}"), 20)


class Outside:
    """An external Redis beside the border, with an ACL user whose password is in a file."""

    def __init__(self, acl=True):
        self.acl = acl

    def __call__(self, h):
        secret = "correct-horse-battery"
        users = os.path.join(h.lab.dir, "users.acl")
        with open(users, "w") as f:
            f.write(f"user default off\nuser border on >{secret} ~postern:* &* +@all\n")
        password = os.path.join(h.lab.dir, "password")
        with open(password, "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(secret + "\n")
        self.redis = Redis(h.lab, h.lab.border, "out", "127.0.0.1", extra=f"aclfile {users}" if self.acl else "")
        self.redis.auth = ("border", secret) if self.acl else None
        return (f'redis: "127.0.0.1:6379", user: border, password_file: "{password}"' if self.acl
                else 'redis: "127.0.0.1:6379"')


def case_external_redis():
    """A Redis by address, with an ACL user and a password from a file: calls outlive the process."""
    outside = Outside()
    with Held(calls=20, streams=4, prepare=outside) as h:
        h.wait_settled()
        assert len(outside.redis.cli("KEYS", "postern:edge1:edge1:call:*")) == 20
        h.restart()
        h.g.wait_media()
        h.requests()


def case_killed_at_a_frozen_redis():
    """Killed with its last words at a Redis that stands still, and started again: when Redis goes on, the new
    process has an epoch of its own, and every call and what it writes of it afterwards."""
    outside = Outside(acl=False)

    def lease():
        found = outside.redis.cli("HMGET", "postern:edge1:edge1:lease", "epoch", "process")
        return int(found[0]), found[1]

    with Held(calls=20, streams=4, nat=False, prepare=outside) as h:
        h.wait_settled()
        before = lease()
        outside.redis.freeze()
        h.g.sweep("reinvite", "callee", 100)
        h.border.kill()
        threading.Timer(2, outside.redis.thaw).start()
        h.border.start()
        h.wait_restored()
        h.wait_settled()
        after = lease()
        assert after[0] > before[0] and after[1] != before[1], (before, after)
        h.g.wait_media()
        h.requests()
        wait_for("no record to be left", lambda: not outside.redis.cli("KEYS", "postern:edge1:edge1:call:*"), 60, 0.2)


def _outage(begin, end):
    """Calls come and go while Redis is away: none fails; afterwards every call that is up is in Redis."""
    outside = Outside(acl=False)
    with Held(calls=20, streams=4, nat=False, prepare=outside, cps=OUTAGE_CPS * 2 + 50) as h:
        h.wait_settled()
        h.g.say("mark")
        h.g.say(f"churn {OUTAGE_CPS} 1000")
        time.sleep(1)
        begin(outside.redis)
        h.g.say("call 20 20 0")
        wait_for("calls to be degraded", lambda: h.border.status()["store"]["degraded"] > 0, 30)
        time.sleep(OUTAGE_S)
        h.calls = 40
        end(outside.redis)
        time.sleep(1)
        report = h.g.end_churn(120)
        churn = report["requests"]["churn"]
        print(f"     {churn['invite']['sent']} calls at {OUTAGE_CPS}/s, {OUTAGE_S} s without Redis:"
              f" {churn['invite']['refused'] + churn['invite']['unanswered']} failed, slowest answer"
              f" {churn['invite']['worst_ms']} ms; longest media gap {report['media']['gap_ms']['worst']} ms")
        assert report["calls"]["churn"]["failed"] == report["calls"]["churn"]["lost"] == 0, report["requests"]
        assert report["calls"]["held"]["up"] == 40, report["calls"]
        h.wait_settled()
        wait_for("a record for each call that is up, and no more",
                 lambda: len(outside.redis.cli("KEYS", "postern:edge1:edge1:call:*")) == 40, 60, 0.2)
        h.restart()
        h.g.wait_media()
        h.requests()


def case_redis_frozen():
    """Redis frozen under load: no call fails, and what was owed is written when it goes on."""
    _outage(lambda r: r.freeze(), lambda r: r.thaw())


def case_redis_down():
    """Redis killed under load, and started again later."""
    _outage(lambda r: r.kill(), lambda r: r.start())


def case_redis_full():
    """Redis out of memory under load: calls go on, and are written when there is room."""
    _outage(lambda r: r.full(), lambda r: r.roomy())


def case_redis_absent_at_start():
    """A node starts while its Redis is away, serves after start_wait, and stores when Redis comes."""
    outside = Outside(acl=False)

    def prepare(h):
        state = outside(h)
        outside.redis.kill()
        return state + ", start_wait: 1"

    with Held(calls=10, streams=2, nat=False, prepare=prepare) as h:
        assert h.border.status()["store"]["degraded"] == 10
        outside.redis.start()
        h.wait_settled()
        h.restart()
        h.g.wait_media()
        h.requests()

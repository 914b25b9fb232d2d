#!/usr/bin/env python3
"""Breaks a copy of the border on purpose, one way at a time, and sees that the tests notice.

For each mutant: one edit in a copy of the sources, a build of the scenario runner
and the simulation, and a run of both. A mutant that no test notices fails, and so
does one whose text is not found exactly once: then the sources have moved on and
the mutant has to follow. `mutate.py SOURCE-ROOT [NAME ...]`; reports in TAP.
"""
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

# A check that lets every header value pass.
YES = r"static bool carried(struct slice v)\n{\n\t(void)v;\n\treturn true;\n}\n\n"

# name, file, regular expression, replacement, what it is
MUTANTS = [
    ("header-subject-crosses", "sbc/core/hiding_policy.c",
     r"(?s)(const struct hiding_rule hiding_rules.*?)\[SIP_HDR_SUBJECT\] = DROP",
     YES + r"\1[SIP_HDR_SUBJECT] = {HIDING_KIND_CARRY, carried, NULL}",
     "one header that should be dropped is carried"),
    ("asserted-identity-host-crosses", "sbc/core/hiding_policy.c",
     r"(?s)(const struct hiding_rule hiding_rules.*?)"
     r"\[SIP_HDR_P_ASSERTED_IDENTITY\] = HOSTS\(ASSERTED\)",
     YES + r"\1[SIP_HDR_P_ASSERTED_IDENTITY] = {HIDING_KIND_CARRY, carried, NULL}",
     "an identity keeps its host"),
    ("from-host-crosses", "sbc/core/call_invite.c",
     r"struct slice from = identity\(e, rx->from\.whole, ours\);",
     "struct slice from = leg_name_addr(&rx->from); (void)ours;",
     "the caller's host in From"),
    ("call-id-crosses", "sbc/core/call_invite.c",
     r"leg_set_ident\(e, leg, slice_of\(call_id, sizeof\(call_id\)\), from, to\)",
     "leg_set_ident(e, leg, rx->call_id, from, to)",
     "the caller's Call-ID on the callee's side"),
    ("tag-crosses", "sbc/core/call_invite.c",
     r"(leg->source = t->remote;\n\t)ident_tag\(&e->gen, leg->tag\);",
     r"\1memcpy(leg->tag, call->leg[CALL_CALLER].tag, sizeof(leg->tag));",
     "one tag of ours on both sides"),
    ("sdp-origin-crosses", "sbc/media/sdp_write.c",
     r"(wbuf_lit\(w, \" IN IP4 \"\);\n\tnet_ip_write\(w, )out->ip", r"\1d->conn.ip",
     "the address in o= is the other side's"),
    ("sdp-session-id-crosses", "sbc/media/sdp_write.c",
     r"wbuf_u64\(w, out->session_id\);",
     "for (const char *p = strchr(d->body.p, ' ') + 1; *p > ' '; p++) wbuf_char(w, *p);",
     "the session id in o= is the other side's"),
    ("port-forgotten", "sbc/core/offer_media.c",
     r"\t\tport_set_give\(side_ports\(e, call, side\), stream_local\(s, side\)\);", "\t\t(void)e;",
     "media ports are never given back"),
    ("flow-forgotten", "sbc/core/offer_media.c",
     r"\tengine_out_flow_retire\(e->out, realm, address, \(uint16_t\)\(side->port \+ 1\)\);", "",
     "the RTCP flows are not retired"),
    ("latch-gate-open", "sbc/core/offer_media.c",
     r"spec->gate_ip = side->gate;", "spec->gate_ip = 0;",
     "anybody may latch"),
    ("unproven-is-sent-to", "sbc/core/offer_media.c",
     r"spec->proven = spec->remote\.ip == leg->source\.ip;", "spec->proven = true;",
     "an untrusted side's word suffices to send media anywhere"),
    ("timer-b-and-f-skipped", "sbc/core/transaction.c",
     r"(void tx_arm\(struct tx_layer \*l, struct tx \*t\)\n\{)",
     r"\1\n\tif (t->kind == TX_CLIENT_INVITE || t->kind == TX_CLIENT_OTHER)\n\t\tt->end_at = TX_NEVER;\n",
     "client transactions never give up"),
    ("timer-c-skipped", "sbc/core/call_invite.c",
     r"\twheel_arm\(&e->wheel, call_index\(e, call\), e->now \+ e->snap->ring_timeout_ms\);\n", "",
     "an INVITE may ring for ever"),
    ("longest-call-skipped", "sbc/core/call_answer.c",
     r"wheel_arm\(&e->wheel, call_index\(e, call\), e->now \+ 1000ull \* e->snap->max_call_s\);",
     "wheel_disarm(&e->wheel, call_index(e, call));",
     "a call may last for ever"),
    ("expiry-skipped", "sbc/core/registration.c",
     r"\twheel_arm\(&e->wheel, e->limits\.calls \+ registration_index\(e, r\), r->expires_ms\);\n",
     "\t(void)e;\n\t(void)r;\n", "registrations never expire"),
    ("block-forgotten", "sbc/core/registration.c",
     r"\tblob_give\(&e->blobs, r->contact\);\n", "", "a registration's Contact is never freed"),
    ("media-streams-forgotten", "sbc/core/offer_media.c",
     r"(\t\tstream_retire\(e, call, &s\[i\]\);\n)\tblob_give\(&e->blobs, call->streams\);\n", r"\1",
     "a call's streams are never freed"),
    ("loop-not-seen", "sbc/core/engine_request.c",
     r"if \(!check_loop\(e, rx\) \|\| ", "(void)check_loop;\n\tif (", "a request of ours is taken back"),
    ("hops-not-counted", "sbc/core/call_invite.c",
     r"hr\.max_forwards = hops - 1;", "hr.max_forwards = hops;", "Max-Forwards does not fall"),
    ("stranger-ends-calls", "sbc/core/engine_request.c",
     r"if \(!leg_knows_source\(e, &call->leg\[leg\], rx\)\)", "if (false)",
     "a host that the dialog does not know may end it"),
    ("every-loop-a-spiral", "sbc/core/call.c",
     r"return l->asked != leg_uri_print\(e, rx->m->request_uri, &addr\);", "return true;",
     "what comes back asking for the same is a new call"),
    ("own-ports-for-all", "sbc/core/offer_media.c",
     r"if \(own->trust != SNAPSHOT_TRUSTED\)", "if (false)",
     "a phone may name the border's media ports"),
    ("answer-not-held", "sbc/core/call_answer.c",
     r"if \(e->store\.mode != ENGINE_STORE_DURABLE\)", "if (true)",
     "the 2xx does not wait for the store"),
    ("refused-not-put-again", "sbc/core/store.c",
     r"!ok \|\| again == STORE_F_AGAIN_SOON", "again == STORE_F_AGAIN_SOON",
     "a put that was refused is not made again"),
    ("no-cseq-gap", "sbc/core/restore_internal.h",
     r"return RESTORE_CSEQ_GAP \+ \(uint32_t\)\(n < RESTORE_CSEQ_MAX \? n : RESTORE_CSEQ_MAX\);",
     "(void)n;\n\treturn 0;", "a restored call repeats the CSeqs of what was not stored"),
    ("one-cseq-gap", "sbc/core/restore_internal.h",
     r"return RESTORE_CSEQ_GAP \+ \(uint32_t\)\(n < RESTORE_CSEQ_MAX \? n : RESTORE_CSEQ_MAX\);",
     "(void)n;\n\treturn RESTORE_CSEQ_GAP;", "a call restored twice repeats its CSeqs"),
    ("ending-keeps-reinvites", "sbc/core/gather.c",
     r"if \(c->state == CHECKPOINT_ENDING && ex->kind != EXCHANGE_INVITE\)", "if (false)",
     "a call that is over is put as it cannot be restored"),
    ("delete-forgotten", "sbc/core/store_owed.c",
     r"\tstore_delete\(e, CHECKPOINT_CALL, slice_of\(owed->call_id, IDENT_LEN\),\n"
     r"\t\t     \(uint16_t\)owed->far_tag\);\n", "",
     "a call that is over stays in the store"),
    ("put-twice", "sbc/core/store.c",
     r"\tif \(m->flags & STORE_F_UNDERWAY\) \{\n\t\tm->flags \|= urgency",
     "\tif (false) {\n\t\tm->flags |= urgency",
     "a call is put again before the store has answered"),
    ("latched-source-lost", "sbc/core/call_event.c",
     r"\t\t\tside->latched_rtp = m->source;", "\t\t\t(void)m->source;",
     "where media came from is not kept"),
    ("lost-group-hangs-up", "sbc/core/engine_group.c",
     r"\t\tcall_forget\(e, call\);", "\t\tcall_end(e, call, END_ERROR, 503, CALL_BYE_BOTH);",
     "calls of a group that another node has are hung up on"),
    ("owed-bye-forgotten", "sbc/core/store_owed.c",
     r"\tif \(owed->cseq_in && --owed->cseq_in\)", "\tif (false)",
     "the first BYE that is answered settles both sides"),
    ("changed-leg-forgotten", "sbc/core/dialog.c",
     r"\tleg->changed = true;\n\treturn true;", "\t(void)leg;\n\treturn true;",
     "a change leaves out where requests of a leg go now"),
    ("refresh-forgotten", "sbc/core/store_put.c",
     r"if \(kept_due\(e\) <= e->now\)", "if (false)",
     "a long call is forgotten by the store"),
    ("renewal-from-receipt", "control/lease_reply.c",
     r"(?s)(static void renewed.*?g->by_redis = )call->sent", r"\1l->now",
     "a lease counts from the answer to its renewal"),
    ("grant-from-receipt", "control/lease.c",
     r"g->grant_at\[h->from\] = l->sent\[seq % LEASE_SENT\];", "g->grant_at[h->from] = l->now;",
     "a lease counts from the coming of a grant"),
    ("claim-without-waiting", "control/lease_claim.c",
     r"return g->since \+ l->wait;", "return g->since;", "a group is claimed from a silent owner at once"),
    ("grant-without-promise", "control/lease.c",
     r"\tg->promised = l->now \+ l->wait;\n\tg->promised_epoch = epoch;\n", "",
     "who has granted claims all the same"),
    ("expired-goes-on", "control/lease_valid.c",
     r"l->now >= l->group\[i\]\.until\)", "false)",
     "a lease that expired while its process was stopped is renewed"),
    ("join-without-waiting", "control/lease_claim.c",
     r"return in_since \+ lease_wait\(l->conf\.alone_ms\) \+ l->wait;", "return in_since;",
     "a node that has come in claims from an owner that does not know of it"),
    ("alone-for-ever", "control/lease_valid.c",
     r"min\(said, o->out_since \+ l->conf\.alone_ms\)", "said",
     "an owner without Redis does for ever without who was out"),
    ("members-not-asked", "control/lease_valid.c",
     r"o->counted != LEASE_OUT \|\| o->out_since", "o->out_since",
     "an owner does without the grants of members"),
]

FOLDERS = ["bye", "call", "cancel", "early-media", "errors", "forking", "hiding", "limits", "nat",
           "options", "prack", "register", "reinvite", "sdp", "spiral", "state", "timers"]


def copy_sources(root, to):
    """What the build of the border without its dataplane, and of the lease protocol, reads."""
    skip = shutil.ignore_patterns("__pycache__")
    for name in ("sbc", "tests"):
        shutil.copytree(os.path.join(root, name), os.path.join(to, name), ignore=skip)
    for name in ("meson.build", "meson_options.txt"):
        shutil.copy(os.path.join(root, name), to)
    os.mkdir(os.path.join(to, "control"))
    for path in glob.glob(os.path.join(root, "control", "lease*.[ch]")):
        shutil.copy(path, os.path.join(to, "control"))


def run(command, cwd, seconds):
    """True, and the last lines, when it ends well within its time."""
    try:
        p = subprocess.run(command, cwd=cwd, timeout=seconds, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, check=False)
    except subprocess.TimeoutExpired:
        return False, "did not end in %d s" % seconds
    return p.returncode == 0, p.stdout.decode(errors="replace")


class House:
    """A copy of the sources with a build directory of its own."""

    def __init__(self, root, work):
        self.src = os.path.join(work, "src")
        self.build = os.path.join(work, "build")
        os.mkdir(self.src)
        copy_sources(root, self.src)
        ok, text = run(["meson", "setup", self.build, self.src, "-Ddataplane=false",
                        "--buildtype=debug", "-Dwerror=false"], work, 120)
        if not ok:
            sys.exit(text)

    def compile(self):
        return run(["ninja", "-C", self.build, "tests/scenario/scenario_runner",
                    "tests/simulation/sim", "tests/simulation/lease_sim"], self.build, 600)

    def failures(self, path=None, known=None):
        """Names of the tests that fail, of those that `path` has a part in: of all of them, or no
        further than the first that is not known to."""
        stages = [] if path and path.startswith("sbc/") else [self.lease_failures]
        if not path or not path.startswith("control/"):
            stages += [self.scenario_failures, self.simulations_failures]
        bad = []
        for stage in stages:
            bad += stage()
            if known is not None and any(b not in known for b in bad):
                break
        return bad

    def lease_failures(self):
        # With a short `alone` an owner that Redis has left comes to its end far more often.
        for options in (["--runs", "100", "--alone", "800"], ["--runs", "300"]):
            ok, text = run([os.path.join(self.build, "tests/simulation/lease_sim")] + options,
                           self.build, 300)
            said = re.search(r"^# (seed .*)", text, re.M)
            if not ok:
                return ["simulation of leases: " + (said.group(1) if said else text[-80:])]
        return []

    def scenario_failures(self):
        runner = os.path.join(self.build, "tests/scenario/scenario_runner")
        ok, text = run([runner] + FOLDERS, os.path.join(self.src, "tests/scenario"), 120)
        bad = re.findall(r"^not ok \d+ - (\S+)", text, re.M)
        if not ok and not bad:
            bad = ["scenario runner: " + (text.strip().splitlines() or ["nothing said"])[-1]]
        return bad

    def simulations_failures(self):
        return self.simulation_failures("simulation", []) + self.simulation_failures(
            "simulation of deaths", ["--store", "stormy", "--crash", "4000", "--pool", "1500"])

    def simulation_failures(self, name, options):
        ok, text = run([os.path.join(self.build, "tests/simulation/sim"), "--calls", "250",
                        "--seed", "7"] + options, self.build, 120)
        said = [l for l in text.splitlines() if l.startswith("# ")]
        at = 5 if options else 2
        return [] if ok else [name + ": " + (said[at][2:] if len(said) > at
                                             else text.strip()[-80:])]

    def apply(self, path, pattern, text):
        """Edits a file; gives its former content back, or None when it does not match once."""
        full = os.path.join(self.src, path)
        with open(full, encoding="utf-8") as f:
            old = f.read()
        new, n = re.subn(pattern, text, old)
        if n != 1:
            return None, n
        self.write(path, new)
        return old, n

    def write(self, path, text):
        with open(os.path.join(self.src, path), "w", encoding="utf-8") as f:
            f.write(text)


def judge(house, mutant, known):
    """Why a mutant survived, or None; and who caught it."""
    _, path, pattern, text, _ = mutant
    old, n = house.apply(path, pattern, text)
    if old is None:
        return "its place in %s was found %d times" % (path, n), []
    try:
        ok, said = house.compile()
        if not ok:
            return "does not compile: " + said[-400:], []
        caught = [f for f in house.failures(path, known) if f not in known]
        return (None if caught else "no test noticed"), caught
    finally:
        house.write(path, old)


def main():
    root = sys.argv[1]
    wanted = [m for m in MUTANTS if not sys.argv[2:] or m[0] in sys.argv[2:]]
    survived = 0
    with tempfile.TemporaryDirectory(prefix="postern-mutation-") as work:
        house = House(root, work)
        ok, said = house.compile()
        if not ok:
            sys.exit(said[-2000:])
        known = house.failures()
        print("1..%d" % (len(wanted) + 1))
        print("%sok 1 - the unbroken copy passes" % ("not " if known else ""))
        for f in known:
            print("# " + f)
        for i, mutant in enumerate(wanted, 2):
            why, caught = judge(house, mutant, known)
            survived += why is not None
            print("%sok %d - %s: %s" % ("not " if why else "", i, mutant[0], mutant[4]))
            for line in (why.splitlines() if why else
                         ["noticed by %s" % c for c in caught[:3]] +
                         (["and %d more" % (len(caught) - 3)] if len(caught) > 3 else [])):
                print("# " + line)
            sys.stdout.flush()
    sys.exit(1 if survived or known else 0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the copy is removed
    main()

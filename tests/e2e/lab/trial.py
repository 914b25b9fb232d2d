"""One fault of a cluster: calls before it, calls after it, and what their ends saw in between.

Sizes come from the environment. The small ones, which are judged by counts alone,
suit any machine; POSTERN_CLUSTER_CALLS=10000 is the size that the figures are of.
"""

import json
import os
import time

from .cluster import Cluster
from .netns import wait_for
from .peers import BUILD

CALLS = int(os.environ.get("POSTERN_CLUSTER_CALLS", "100"))
FULL = CALLS >= 1000
STREAMS = int(os.environ.get("POSTERN_CLUSTER_STREAMS", "200" if FULL else "20"))
RATE = int(os.environ.get("POSTERN_CLUSTER_RATE", "250" if FULL else "200"))  # of what is set up and hung up
CPS = int(os.environ.get("POSTERN_CLUSTER_CPS", "100" if FULL else "20"))  # of new calls during a fault
LEASE = int(os.environ.get("POSTERN_CLUSTER_LEASE", "300" if FULL else "1000"))

SHORT, FOR_EVER = 500, 10**8  # ms that a new call is up

ROWS = []


class Trial:
    """A cluster with calls up. `with Trial(name, ...) as t:` then t.calm(), the fault, t.judge()."""

    def __init__(self, fault, nodes=2, calls=CALLS, **settings):
        self.fault = fault
        settings.setdefault("lease", LEASE)
        began = time.monotonic()
        self.cluster = c = Cluster(nodes=nodes, calls=calls * 2 + 2000, cps=max(400, RATE + CPS + 50), **settings)
        self.row = {"fault": fault, "nodes": nodes, "calls": calls}
        try:
            c.start_all()
            self.g = c.callgen
            self.row["built_s"] = round(time.monotonic() - began, 1)
            self.up(calls)
        except BaseException:
            self.__exit__(Exception, None, None)
            raise

    def up(self, calls):
        report = self.g.call(calls, RATE, STREAMS)
        assert report["calls"]["held"]["up"] == calls, report["calls"]
        self.g.wait_media()
        self.wait_kept()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            self.row["verdict"] = f"FAILED: {str(value).splitlines()[0][:160] if value else kind.__name__}"
            ROWS.append(self.row)
            for side, o in self.cluster.owners.items():
                print(f"---- {side}: " + "\n".join(json.dumps(line) for line in o.seen[-40:]))
            for n in self.cluster.nodes:
                print(f"---- {n.name} {n.mac}")
                if n.border:
                    print(f"---- {n.name}\n{n.proc.text()[-3000:]}")
            write_report()
        self.cluster.close()

    def wait_kept(self):
        """Redis has every call that is up, and no other."""
        def look():
            return sum(self.cluster.kept().values()) == self.g.report()["calls"]["held"]["up"]

        wait_for("Redis to have every call that is up", look, 60, 0.2)

    def more(self, calls):
        """Calls that are made while the fault lasts: none of them may fail."""
        report = self.g.call(calls, RATE, 0)
        self.row["calls"] += calls
        assert report["calls"]["held"]["up"] == self.row["calls"], report["calls"]

    # ---- around the fault ----

    def begin(self):
        """New calls come all the time, and gaps count from here."""
        self.owners_before = self._owners()
        self.g.say(f"churn {CPS} {SHORT}")
        time.sleep(0.5)
        self.before = self.g.report()
        self.g.say("mark")
        self.began = time.monotonic()

    def still(self):
        """No call ends until struck(), and Redis knows of all that have: one that ended as its node died,
        before Redis heard of it, would live on where the group goes."""
        def told():
            calls = self.g.report()["calls"]
            return sum(self.cluster.kept().values()) == calls["held"]["up"] + calls["churn"]["up"]

        self.g.say(f"churn 0 {FOR_EVER}")
        self.g.wait("short calls to be up or over",
                    lambda r: not any(r["calls"]["churn"][s] for s in ("trying", "ringing", "ending")))
        wait_for("Redis to have the calls that are up, and no other", told, 60, 0.1)
        self.g.say(f"churn {CPS}")

    def struck(self):
        """The fault is there: short calls end again."""
        self.g.say(f"churn {CPS} {SHORT}")

    def after(self):
        """What the fault did, once media flows everywhere again."""
        self.g.wait_media(60)
        gaps = self.g.report()["media"]
        self.row.update(seconds=round(time.monotonic() - self.began, 1), gap_ms=gaps["gap_ms"]["worst"],
                        gap_median_ms=gaps["gap_ms"]["median"], over_500=gaps["gap_ms"]["over_500"],
                        sent_late_ms=gaps["sent_late_ms"])
        report = self.g.end_churn(120)
        churn = report["requests"]["churn"]["invite"]
        self.row.update(new_calls=churn["sent"], new_failed=churn["refused"] + churn["unanswered"],
                        new_refused=churn["status"], new_lost=report["calls"]["churn"]["lost"])

    def requests(self, misdirect=False):
        """A re-INVITE and an UPDATE from both sides of every call, and BYE from half of each."""
        if misdirect:
            self.g.say("misdirect 1")
        for kind in ("reinvite", "update"):
            for side in ("caller", "callee"):
                self.g.sweep(kind, side, RATE)
        report = self.g.report()
        self.row["up_after"] = report["calls"]["held"]["up"]
        report = self.g.hang_up(RATE)
        held = report["calls"]["held"]
        kinds = [report["requests"]["held"][k] for k in ("reinvite", "update", "bye")]
        media = report["media"]
        self.row.update(
            lost=held["lost"], stranger_bye=held["stranger_bye"],
            requests=sum(k["sent"] for k in kinds), repeated=sum(k["retransmitted"] for k in kinds),
            requests_failed=sum(k["refused"] + k["unanswered"] for k in kinds),
            refused={s: n for k in kinds for s, n in k["status"].items()},
            bye_ok=f'{report["requests"]["held"]["bye"]["ok"]}/{report["requests"]["held"]["bye"]["sent"]}',
            strange_source=media["strange_source"], crosstalk=media["crosstalk"])

    def lay_ghosts(self, node):
        left = node.border.ctl("calls")["calls"]
        short = self.g.report()["calls"]["churn"]["asked"]
        assert len(left) <= short, f"{len(left)} left, {short} short ones asked for: {left[:2]}"
        for call in left:
            number = int(call["to"]["user"].removeprefix("call"))
            assert self.row["calls"] <= number < self.row["calls"] + short, call
            node.border.ctl("kill", call["id"])
        self.row["ghosts"] = self.row.get("ghosts", 0) + len(left)

    def wait_empty(self, node):
        status = {}

        def empty():
            status.update(node.border.status())
            return all(status[k] == 0 for k in ("calls", "flows", "ports_used"))

        try:
            wait_for(f"{node.name} to have nothing left of the calls", empty, 60, 0.3)
        except TimeoutError as e:
            raise TimeoutError(f"{e}: {json.dumps(status)}\n{node.border.table('calls')[:2000]}") from None

    def _owners(self):
        return {(side, ip): a for side, o in self.cluster.owners.items() for ip, a in o.report()["addresses"].items()}

    def ownership(self):
        now = self._owners()
        self.row["wrong_owners"] = sum(a["wrong"] for a in now.values())
        self.row["moves"] = sum(a["changes"] - self.owners_before[k]["changes"] for k, a in now.items())

    def judge(self, moves=None, new_calls=True, ghosts=False):
        """Counts only: a call that was up stays up, and no address has two owners.

        `ghosts`: a short call may have ended at a node that could tell nobody; its record then makes it
        live on where the group went. They are counted, and must be such calls and no other."""
        self.requests()
        self.finish(moves, new_calls, ghosts)

    def finish(self, moves=None, new_calls=True, ghosts=False):
        self.ownership()
        r = self.row
        wrong = [what for what, bad in (
            ("established calls lost", r["lost"]), ("a BYE that nobody sent", r["stranger_bye"]),
            ("requests failed", r["requests_failed"]), ("wrong owners", r["wrong_owners"]),
            ("media of a stranger", r["strange_source"] + r["crosstalk"]),
            ("calls missing", r["calls"] - r["up_after"]),
            ("new calls failed", new_calls and r["new_failed"]),
            ("addresses moved", moves is not None and r["moves"] - 2 * moves)) if bad]
        assert not wrong, f"{', '.join(wrong)}: {json.dumps(r)}"
        for n in self.cluster.nodes:
            if n.alive():
                if ghosts:
                    self.lay_ghosts(n)
                self.wait_empty(n)
        r["verdict"] = "ok"
        ROWS.append(r)
        write_report()


COLUMNS = (("fault", "fault", 44), ("nodes", "nodes", 5), ("calls", "up", 6), ("up_after", "after", 6),
           ("lost", "lost", 5), ("gap_ms", "gap ms", 7), ("gap_median_ms", "median", 7), ("moves", "moves", 6),
           ("wrong_owners", "wrong owners", 12), ("requests", "requests", 8), ("requests_failed", "failed", 7),
           ("bye_ok", "BYE 200", 12), ("new_calls", "new calls", 9), ("new_failed", "failed", 7),
           ("verdict", "", 0))


def table():
    def line(cells):
        return "  ".join(str(c).rjust(w) if i else str(c).ljust(w) for i, (c, (_, _, w)) in
                         enumerate(zip(cells, COLUMNS))).rstrip()

    head = (f"{CALLS} calls up, media on {min(STREAMS, CALLS)}, {CPS} new calls a second meanwhile, lease {LEASE} ms.\n"
            "gap: longest silence of any stream at its receiver; moves: changes of owner over both networks.\n")
    return head + "\n".join([line([t for _, t, _ in COLUMNS])] +
                            [line([r.get(k, "-") for k, _, _ in COLUMNS]) for r in ROWS])


def write_report():
    """After each trial: what is known so far is kept whatever comes. Says where."""
    path = os.path.join(BUILD, "cluster-report")
    with open(path + ".json", "w") as f:
        json.dump({"calls": CALLS, "streams": STREAMS, "cps": CPS, "lease_ms": LEASE, "faults": ROWS}, f, indent=1)
    with open(path + ".txt", "w") as f:
        f.write(table() + "\n")
    return f"the same in {path}.txt and {path}.json"

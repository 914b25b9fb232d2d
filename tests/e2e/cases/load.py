"""SIPp at a rate: counts are judged, never times.

POSTERN_LOAD_RATE and POSTERN_LOAD_SECONDS set the size; the default is small, so
that a slow shared machine does not become the verdict.
"""

import os
import time

from lab.netns import wait_for
from lab.peers import Border, Sipp
from lab.topology import CALLER, LOAD, OUTSIDE, Lab, config

RATE = int(os.environ.get("POSTERN_LOAD_RATE", "100"))
SECONDS = int(os.environ.get("POSTERN_LOAD_SECONDS", "10"))


def case_sipp_load():
    """Calls with media flows at a set rate through one worker: none fails, none is retransmitted
    because of the border, and nothing is left at the end."""
    calls = RATE * SECONDS
    with Lab("load") as lab:
        caller = lab.host("access", "caller", CALLER)
        load = lab.host("core", "load", LOAD)
        border = Border(lab, lab.border, config(peer=LOAD, calls=max(4000, RATE * 3), cps=RATE + 50))
        # Room for bursts: a scheduler's pause must not look like the border's loss.
        for ns in (caller, load):
            lab.run(ns, "sysctl", "-qw", "net.core.rmem_default=8388608", check=False)
        uas = Sipp(lab, load, "-sn", "uas", "-i", LOAD, "-p", "5060", "-mp", "7000", "-buff_size", "8388608",
                   name="uas")
        uac = Sipp(lab, caller, "-sn", "uac", "-i", CALLER, "-p", "5060", "-mp", "7000", "-s", "bob",
                   "-r", str(RATE), "-m", str(calls), "-l", str(RATE * 3), "-d", "200", "-buff_size", "8388608",
                   f"{OUTSIDE}:5060", name="uac")
        peak = {"flows": 0, "calls": 0}
        end = time.monotonic() + SECONDS * 6 + 90
        while uac.proc.alive() and time.monotonic() < end:
            s = border.try_ctl("status")
            if s:
                peak = {k: max(peak[k], s[k]) for k in peak}
            time.sleep(0.3)
        code = uac.wait(1)
        row = uac.last()
        status, drops = border.status(), border.drops()
        said = {k: row[k] for k in ("SuccessfulCall(C)", "FailedCall(C)", "Retransmissions(C)")}
        print(f"     {RATE}/s for {SECONDS} s: {said}, peak {peak},"
              f" retransmissions by the border {status['retransmissions']}, drops {drops}")
        assert code == 0 and row["SuccessfulCall(C)"] == str(calls) and row["FailedCall(C)"] == "0", said
        assert status["calls_answered"] == calls
        assert peak["flows"] >= 4, peak
        lost = {r: n for r, n in drops.items() if r in ("ring-full", "no-mbuf", "tx-full", "sip-tx-full", "call-full",
                                                       "call-ports", "call-limit", "neigh-pending")}
        assert not lost, lost
        wait_for("calls, flows, ports and transactions to be gone", border.is_empty, 60, 0.5)
        assert border.status()["blobs"] == 0
        uas.proc.stop()

#!/usr/bin/env python3
"""Speaks the load generator's commands about a border that relays KNEE packets a second. No packet is sent.

Beyond the knee what is more is lost. Used to test the harness without rings.
"""

import json
import os
import sys

KNEE = float(os.environ.get("FAKE_KNEE", "4e6"))
CPS = float(os.environ.get("FAKE_CPS", "9000"))
LATENCY = {"min": 4000, "p50": 9000, "p90": 12000, "p99": 20000, "p999": 30000, "max": 90000, "count": 1000}
HISTOGRAM = [[4000, 10], [9000, 600], [20000, 380], [90000, 10]]


def rtp(pps, seconds, _warmup=0.0):
    due = (pps or 2 * KNEE) * seconds
    tx = due if pps else KNEE * seconds
    rx = min(tx, KNEE * seconds)
    return {"tx": int(tx), "rx": int(rx), "lost": int(tx) - int(rx), "reordered": 0, "duplicated": 0,
            "misdelivered": 0, "tx_mpps": tx / seconds / 1e6, "rx_mpps": rx / seconds / 1e6, "latency_ns": LATENCY,
            "histogram": HISTOGRAM, "busy": 0.5, "late": 0}


def cps(rate, seconds, _hold=0, _packets=0):
    failed = max(0, int((rate - CPS) * seconds))
    attempted = int(rate * seconds)
    return {"attempted": attempted, "done": attempted - failed, "failed": {"503": failed} if failed else {},
            "timed_out": 0, "leaks": 0, "retransmissions": 0, "unexpected": 0, "cps_done": (attempted - failed) / seconds,
            "setup_ns": LATENCY, "histogram": HISTOGRAM, "busy": 0.4}


def answer(words):
    name, numbers = words[0], [float(w) for w in words[1:]]
    if name == "link":
        return {}
    if name == "setup":
        return {"up": int(numbers[0]), "failed": {}, "retransmissions": 0, "seconds": 0.1, "cps": 1000}
    if name == "rtp":
        return rtp(*numbers)
    if name == "cps":
        return cps(*numbers)
    if name == "stats":
        return {"mbufs": 0}
    raise ValueError(f"unknown command {name}")


def main():
    print("gen: ready", file=sys.stderr, flush=True)
    for line in sys.stdin:
        words = line.split()
        if not words or words[0] == "quit":
            break
        try:
            out = {"command": words[0], "ok": True, **answer(words)}
        except (ValueError, TypeError) as error:
            out = {"command": words[0], "ok": False, "error": str(error)}
        print(json.dumps(out), flush=True)


main()

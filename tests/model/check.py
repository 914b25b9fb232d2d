#!/usr/bin/env python3
"""Searches the model of the lease protocol with spin, and shows that it bites.

The smallest size is searched whole; the next one for a minute, which is reported as what
it is. For each rule that is taken away (BREAK_*) spin must find two owners.
`check.py MODEL`; reports in TAP.
"""
import os
import re
import subprocess
import sys
import tempfile

ONE = dict(NODES=2, LEASE=1, ALONE=0, FAILOVERS=0, CRASHES=0)
TWO = dict(ONE, LEASE=2)
# name, what is defined, whether it is searched whole
SIZES = [
    ("a lease of one tick", ONE, True),
    ("a lease of two ticks", TWO, False),
]
BROKEN = [
    ("BREAK_WAIT", ONE, "claims without waiting"),
    ("BREAK_PROMISE", TWO, "claims in spite of a grant"),
    ("BREAK_SENDING", TWO, "counts a grant from its coming"),
]
DEPTH = 3000000


def run(command, cwd):
    p = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       timeout=600, check=False)
    return p.returncode, p.stdout.decode(errors="replace")


def search(model, work, defines):
    """Spin's report, after a minute at most."""
    flags = ["-D%s=%s" % d for d in defines.items()]
    for command in (["spin", "-a"] + flags + [model],
                    ["gcc", "-O2", "-w", "-DSAFETY", "-DCOLLAPSE", "-DMEMLIM=3000", "-o", "pan",
                     "pan.c"]):
        code, text = run(command, work)
        if code:
            return text
    return run(["./pan", "-E", "-m%d" % DEPTH, "-w24", "-Q1"], work)[1]


def main():
    model = os.path.abspath(sys.argv[1])
    bad = 0
    print("1..%d" % (len(SIZES) + len(BROKEN)))
    with tempfile.TemporaryDirectory(prefix="postern-model-") as work:
        number = 0
        for name, defines, whole in SIZES:
            number += 1
            text = search(model, work, defines)
            states = re.search(r"(\d+) states, stored", text)
            ended = "Search not completed" not in text
            good = re.search(r"errors: 0", text) and states and (ended or not whole) and \
                "max search depth too small" not in text
            bad += not good
            print("%sok %d - %s: never two owners, in %s %s states" %
                  ("" if good else "not ", number, name, "all of" if ended else "the first",
                   states.group(1) if states else "?"))
            if not good:
                print("\n".join("# " + line for line in text.splitlines()[:40]))
            sys.stdout.flush()
        for rule, defines, what in BROKEN:
            number += 1
            found = "assertion violated (" in search(model, work, dict(defines, **{rule: 1}))
            bad += not found
            print("%sok %d - a node that %s: %s" % ("" if found else "not ", number, what,
                  "two owners" if found else "not noticed"))
            sys.stdout.flush()
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()

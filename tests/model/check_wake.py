#!/usr/bin/env python3
"""Searches the model of sleeping and waking with spin, whole, and shows that it bites.

For each rule that is taken away (BREAK_*) spin must find a worker that sleeps for ever
on something. `check_wake.py MODEL`; reports in TAP.
"""
import os
import subprocess
import sys
import tempfile

BROKEN = [("BREAK_FENCE_PUT", "looks at the flag before its put is seen"),
          ("BREAK_FENCE_SLEEP", "looks at the rings before its flag is seen"),
          ("BREAK_LOOK", "does not look again")]


def search(model, work, *defines):
    for command in (["spin", "-a", *("-D" + d for d in defines), model],
                    ["gcc", "-O2", "-w", "-DSAFETY", "-o", "pan", "pan.c"]):
        p = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=300, check=False)
        if p.returncode:
            return p.stdout + p.stderr
    return subprocess.run(["./pan"], cwd=work, capture_output=True, text=True, timeout=300, check=False).stdout


def main():
    model, bad = os.path.abspath(sys.argv[1]), 0
    print(f"1..{1 + len(BROKEN)}")
    with tempfile.TemporaryDirectory(prefix="postern-model-") as work:
        text = search(model, work)
        good = "errors: 0" in text and "Search not completed" not in text
        bad += not good
        print(f"{'' if good else 'not '}ok 1 - nothing is left lying with a worker that sleeps")
        for i, (rule, who) in enumerate(BROKEN, 2):
            found = "invalid end state (" in search(model, work, rule)
            bad += not found
            print(f"{'' if found else 'not '}ok {i} - who {who}: {'a lost wake-up' if found else 'not noticed'}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()

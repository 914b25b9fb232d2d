#!/usr/bin/env python3
"""The end-to-end tests: real programs in network namespaces. run.py [NAME ...]

Each case is a function named case_*; its first line of documentation says what
must be true. The last line printed is `N passed, N failed`. The cases of the
cluster run only by name (`run.py cluster`): they are a suite of their own.
"""

import importlib
import os
import signal
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

MODULES = ("instruments", "generator", "calls", "media", "hostile", "daemon", "state", "load")
CLUSTER = ("cluster_nodes", "cluster_redis")


def demo():
    """./dev demo sees all that it promises and leaves nothing behind."""
    with subprocess.Popen([sys.executable, os.path.join(HERE, "demo.py")], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as demo_py:
        try:
            out, err = demo_py.communicate(timeout=300)
        except BaseException as why:  # it clears away what it made, and is waited for
            if not isinstance(why, KeyboardInterrupt):  # which it has had as well
                demo_py.terminate()
            demo_py.communicate()
            raise
    assert demo_py.returncode == 0, out[-6000:] + err[-2000:]
    left = subprocess.run(["ip", "netns"], capture_output=True, text=True).stdout
    assert f"pst{demo_py.pid % 100000}" not in left, left


def cases():
    found = [("demo", demo)]
    for name in MODULES:
        module = importlib.import_module(f"cases.{name}")
        found += [(f"{name}.{k[5:]}", f) for k, f in vars(module).items() if k.startswith("case_")]
    return found


def cluster_cases():
    found = []
    for name in CLUSTER:
        module = importlib.import_module(f"cases.{name}")
        found += [(f"cluster.{name[8:]}_{k[5:]}", f) for k, f in vars(module).items() if k.startswith("case_")]
    return found


def chosen_of(wanted):
    everything = cases()
    if not wanted:
        return everything
    everything += cluster_cases()
    return [(n, f) for n, f in everything if any(n == w or n.startswith(w + ".") for w in wanted)]


def main(wanted):
    chosen = chosen_of(wanted)
    if not chosen:
        print("no such case; there are: " + ", ".join(n for n, _ in cases() + cluster_cases()))
        return 2
    passed = failed = 0
    for name, function in chosen:
        began = time.monotonic()
        try:
            function()
        except Exception:  # a test that broke is a failed test, whatever it broke with
            failed += 1
            print(f"FAIL {name}: {(function.__doc__ or '').strip().splitlines()[0]}")
            traceback.print_exc(file=sys.stdout)
        else:
            passed += 1
            print(f"ok   {name} ({time.monotonic() - began:.1f} s)")
        sys.stdout.flush()
    if any(n.startswith("cluster.") for n, _ in chosen):
        from lab import trial
        print(f"\n{trial.table()}\n\n{trial.write_report()}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was made is removed
    sys.exit(main(sys.argv[1:]))

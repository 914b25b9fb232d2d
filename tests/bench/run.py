#!/usr/bin/env python3
"""./dev bench [OPTION ...] [NAME ...]: figures, each beside a reference measured in the same run.

  --list    what there is
  --quick   shorter, for a look; not for figures to quote
  --smoke   as short as it goes: that everything works, nothing about speed
  --check   only: are the instruction counts those that are committed? (exit 77: cannot be said here)
  --accept  only: commits the instruction counts of this build to instructions.json

Prints one table; writes results.json, details.json and plots into build/bench/. Nothing
here passes or fails by speed: the exit code is 1 when a figure could not be measured.
"""

import os
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from harness import bench_peers as others  # noqa: E402
from harness import bench_programs as programs  # noqa: E402
from harness import bench_calls as calls  # noqa: E402
from harness import bench_idle as idle  # noqa: E402
from harness import bench_load as load  # noqa: E402
from harness import bench_relay as media  # noqa: E402
from harness import bench_scaling as workers  # noqa: E402
from harness import figures, instructions  # noqa: E402
from harness.context import FULL, QUICK, SMOKE, Context  # noqa: E402
from harness.lab import ROOT, NoRings  # noqa: E402
from harness.proc import LabError  # noqa: E402

BENCHES = {
    "machine": programs.machine,
    "parse": programs.parse,
    "rewrite": programs.rewrite,
    "engine": programs.engine,
    "relay": media.relay,
    "relay_copies": media.relay_copies,
    "relay100k": media.relay100k,
    "latency": media.latency,
    "flows": media.flows,
    "layouts": media.layouts,
    "calls": calls.calls,
    "durable": calls.durable,
    "registers": load.registers,
    "floods": load.floods,
    "idle": idle.idle,
    "stages": programs.stages,
    "scaling": workers.scaling,
    "instructions": instructions.instructions,
    "state": programs.state,
    "million": programs.million,
    "peers": others.peers,
}
BY_NAME = ("layouts",)  # what there is to try, and nothing to judge by
OPTIONS = ("--smoke", "--quick", "--list", "--check", "--accept")
SKIPPED = 77


def measure(names, ctx):
    """Figures; and the reasons that are this machine's, which has no hugepages to give."""
    found, reasons, excuses, first = [], {}, set(), time.monotonic()
    for name in names:
        print(f"running {name} ...", flush=True)
        begun = time.monotonic()
        try:
            found += BENCHES[name](ctx)
        except Exception as error:  # pylint: disable=broad-except: one that breaks does not take the others along
            reasons[name] = str(error) if isinstance(error, LabError) else f"{type(error).__name__}: {error}"
            excuses |= {reasons[name]} if isinstance(error, NoRings) else set()
            print(f"   could not be run: {reasons[name]}")
        ctx.keep(f"seconds, {name}", round(time.monotonic() - begun, 1))
    ctx.keep("seconds, all", round(time.monotonic() - first, 1))
    figures.apply_goals(found)
    found += figures.missing(found, names, reasons)
    promised = {g.bench for g in figures.GOALS}
    found += [figures.Figure(name, why=why) for name, why in reasons.items() if name not in promised]
    return found, excuses


def report(found, excuses, ctx):
    lines = figures.table(found)
    print("\n" + "\n".join(lines))
    with open(os.path.join(ctx.directory, "table.txt"), "w") as f:
        f.write("\n".join(lines) + "\n")
    figures.write(found, os.path.join(ctx.directory, "results.json"))
    ctx.close()
    lacking = [f for f in found if f.value is None]
    print(f"\n{os.path.relpath(ctx.directory)}: results.json, table.txt, details.json, plots")
    if lacking and ctx.scale == SMOKE and all(f.why in excuses for f in lacking):
        print(f"skipped: {lacking[0].why}")
        return SKIPPED
    return 1 if lacking else 0


def check_counts(ctx):
    try:
        worse = instructions.check(ctx)
    except instructions.Differs as why:
        print(f"skipped: {why}")
        return SKIPPED
    print("\n".join(worse))
    return 1 if worse else 0


def main(words, directory=os.path.join(ROOT, "build", "bench")):
    scale = SMOKE if "--smoke" in words else QUICK if "--quick" in words else FULL
    names = [w for w in words if not w.startswith("--")]
    unknown = [w for w in words if w.startswith("--") and w not in OPTIONS]
    unknown += [n for n in names if n not in BENCHES]
    if "--list" in words:
        for name, bench in BENCHES.items():
            print(f"{name:<14}{bench.__doc__}{' (by name only)' if name in BY_NAME else ''}")
        return 0
    if unknown:
        print(f"no benchmark or option {unknown[0]!r}; there are: {', '.join(BENCHES)}")
        return 2
    ctx = Context(directory, scale)
    if "--check" in words:
        return check_counts(ctx)
    if "--accept" in words:
        return instructions.accept(ctx)
    return report(*measure(names or [n for n in BENCHES if n not in BY_NAME], ctx), ctx)


def ended(_signal, _frame):
    """What runs is ended and cleared away on the way out."""
    raise SystemExit(143)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, ended)
    sys.exit(main(sys.argv[1:]))

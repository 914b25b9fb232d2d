"""Instructions of the hot functions, counted by callgrind: the same on a noisy machine.

Each operation is run N and 2N times; the difference, divided by N, is what one costs,
without what comes before. The counts are compared with those in instructions.json, which
are of one compiler's release build: other compilers make other instructions.
"""

import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import tempfile

from .figures import Figure
from .lab import COUNTED, ROOT
from .proc import LabError

REFERENCE = os.path.join(ROOT, "tests", "bench", "instructions.json")
WORSE = 1.10  # a count this much above the committed one is a regression

# What it is called, program and operation, the function that is counted, N.
OPERATIONS = (
    ("index of a 1.3 kB INVITE", "count_bench", "index", "counted", 500),
    ("peek at its Call-ID", "count_bench", "peek", "counted", 500),
    ("SipHash-1-3 of 32 bytes", "count_bench", "siphash", "counted", 2000),
    ("session description: read and written", "count_bench", "sdp", "counted", 500),
    ("flow: admit and rewrite", "count_bench", "flow", "counted", 2000),
    ("engine: a whole call", "count_bench", "call", "engine_handle", 200),
    ("engine: a whole call, kept before it is answered", "count_bench", "kept", "engine_handle", 200),
    ("engine: requests of a call rewritten", "count_bench", "call", "hiding_write_request", 200),
    ("worker: a turn that relays 32 packets", "stages_bench", "turn", "worker_turn", 100),
    ("worker: a turn with nothing to do", "stages_bench", "idle", "worker_turn", 200),
    ("worker: a whole call", "stages_bench", "call", "worker_turn", 10),
)


class Differs(LabError):
    """The committed counts say nothing about this build."""


def compiler():
    """Of the build that is counted, as it names itself."""
    with open(os.path.join(COUNTED, "meson-info", "intro-targets.json")) as f:
        command = next(s["compiler"] for t in json.load(f) for s in t["target_sources"] if s.get("language") == "c")
    command = [c for c in command if os.path.basename(c) != "ccache"]
    return subprocess.run([*command, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]


def options():
    """The build's options that change what the compiler makes."""
    with open(os.path.join(COUNTED, "meson-info", "intro-buildoptions.json")) as f:
        known = {o["name"]: o["value"] for o in json.load(f)}
    return {k: known.get(k) for k in ("buildtype", "b_lto", "b_pgo", "b_ndebug", "c_args")}


def machine():
    with open("/proc/cpuinfo") as f:
        flags = next((line for line in f if line.startswith("flags")), "").split()
    return os.uname().machine + (" avx2" if "avx2" in flags else "")


def build():
    return {"compiler": compiler(), "machine": machine(), "options": options()}


def collected(program, operation, function, n):
    out = tempfile.NamedTemporaryFile(prefix="postern-callgrind-", delete=False)
    out.close()
    try:
        done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}",
                               f"--toggle-collect={function}", os.path.join(COUNTED, "tests", "bench", program), operation, str(n)],
                              capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        raise LabError(f"{program} {operation} {n} under callgrind: not done in 120 s") from None
    finally:
        os.unlink(out.name)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found or int(found[1]) == 0:
        raise LabError(f"{program} {operation} {n} under callgrind: exit {done.returncode}, nothing counted in "
                       f"{function}(): {(done.stdout + done.stderr)[-600:]}")
    return int(found[1])


def count(ctx):
    if not shutil.which("valgrind"):
        raise LabError("valgrind is not installed")

    def one(op):
        name, program, operation, function, n = op
        return name, (collected(program, operation, function, 2 * n) - collected(program, operation, function, n)) / n

    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        counts = dict(pool.map(one, OPERATIONS))
    ctx.keep("instructions", {**build(), "counts": counts})
    return counts


def committed():
    with open(REFERENCE) as f:
        return json.load(f)


def differs(known):
    """Why the committed counts are not of a build like this one; None when they are."""
    here = build()
    for key, what in (("compiler", "compiler"), ("machine", "machine"), ("options", "build options")):
        if known[key] != here[key]:
            return f"the committed counts are of another {what}: {known[key]}, here {here[key]}"
    return None


def instructions(ctx):
    """instructions of the hot functions beside the committed counts (callgrind)"""
    known, counts = committed(), count(ctx)
    why = differs(known)
    if why:
        ctx.say(why + ": no reference")
    return [Figure(f"instructions: {name}", "instr", round(value, 1), None if why else "committed",
                   None if why else known["counts"].get(name), better="lower") for name, value in counts.items()]


def accept(ctx):
    """Writes the counts of this build down as the reference."""
    counts = {**build(), "counts": {k: round(v, 1) for k, v in count(ctx).items()}}
    with open(REFERENCE, "w") as f:
        json.dump(counts, f, indent=1)
        f.write("\n")


def check(ctx):
    """Names of operations that have become worse. Raises Differs when that cannot be said."""
    known = committed()
    why = differs(known)
    if why:
        raise Differs(why)
    worse = []
    for name, value in count(ctx).items():
        before = known["counts"].get(name)
        if before is None:
            worse.append(f"{name}: {value:.0f} instructions, and no committed count")
        elif value > WORSE * before:
            worse.append(f"{name}: {value:.0f} instructions, {value / before:.2f} of the committed {before:.0f}")
        else:
            ctx.say(f"{name}: {value:.0f} instructions, {value / before:.3f} of the committed count")
    return worse

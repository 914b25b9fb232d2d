"""Several workers: what a packet costs when more share the work. Counts of work, on one CPU.

The series is for the plot "scaling with workers": workers -> cycles a packet relative to one worker's.
"""

import json
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("POSTERN_BUILD", os.path.join(ROOT, "build-release"))


def run(timeout=120):
    """Figures, and {"handed over": [(workers, relative cost), ...], "steered": ...}."""
    path = os.path.join(BUILD, "tests", "dataplane", "scaling_bench")
    done = subprocess.run([path], capture_output=True, text=True, timeout=timeout)
    if done.returncode != 0:
        raise RuntimeError(f"scaling_bench: exit {done.returncode}: {done.stderr[-1000:]}")
    figures = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    series = {"handed over": [(1, 1.0)], "steered": [(1, 1.0)]}
    for f in figures:
        for way, points in series.items():
            if f["name"].startswith("cycles") and way in f["name"]:
                points.append((f["workers"], f["value"] / f["reference_value"]))
    return figures, series


if __name__ == "__main__":
    for figure in run()[0]:
        print(json.dumps(figure))

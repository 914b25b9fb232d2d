"""What was measured: a figure, its reference of the same run, and its goal.

A figure is what a benchmark program prints as a line of JSON:
{"name", "value", "unit", "reference", "reference_value", "goal", "better", "goal_of"}.
`better` is "higher" or "lower", `goal_of` is "value" or "ratio". Every figure that has
a goal is listed in GOALS: one that was asked for and is not there is shown as not run.
"""

import json
import math
from dataclasses import dataclass

KEYS = ("name", "value", "unit", "reference", "reference_value", "ratio", "goal", "met")


@dataclass
class Figure:
    name: str
    unit: str = ""
    value: float | None = None
    reference: str | None = None
    reference_value: float | None = None
    goal: float | None = None
    better: str = "higher"
    goal_of: str = "value"
    why: str | None = None  # it could not be measured

    @property
    def ratio(self):
        if self.value is None or not self.reference_value:
            return None
        return self.value / self.reference_value

    @property
    def met(self):
        """None: there is no goal, or nothing to judge by it."""
        judged = self.ratio if self.goal_of == "ratio" else self.value
        if self.goal is None or judged is None:
            return None
        return judged >= self.goal if self.better == "higher" else judged <= self.goal

    def record(self):
        return {key: getattr(self, key) for key in KEYS}


@dataclass
class Goal:
    """A promise: the figure `name`, measured by the benchmark `bench`."""

    name: str
    bench: str
    unit: str
    goal: float
    better: str = "higher"
    goal_of: str = "value"


LINE_RATE_MPPS = 5.252  # 10 Gbit/s of 214 B frames: with FCS, preamble and gap 238 B each

GOALS = (
    Goal("RTP relay, 1,000 flows, no loss", "relay", "Mpps", 0.75, goal_of="ratio"),
    Goal("RTP relay, 1,000 flows, no loss, against 10 GbE", "relay", "Mpps", 1.0, goal_of="ratio"),
    Goal("RTP relay, 100,000 flows, no loss", "relay100k", "Mpps", 0.6, goal_of="ratio"),
    Goal("relay latency p99 at 1 Mpps", "latency", "us", 1.5, "lower", "ratio"),
    Goal("index of a 1.3 kB INVITE", "parse", "ns", 300, "lower"),
    Goal("receive to rewritten INVITE, no I/O", "rewrite", "ns", 1500, "lower"),
    Goal("calls a second over the rings, none failed", "calls", "calls/s", 30000),
    Goal("CPU of a call, durable state", "durable", "us", 40, "lower"),
    Goal("one million calls, bytes of one", "million", "bytes", 4096, "lower"),
    Goal("one million calls, established at one time", "million", "calls", 1e6),
    Goal("one million calls, cost of a call", "million", "ns", 1.3, "lower", "ratio"),
    Goal("one million calls, cost of ending one", "million", "ns", 1.3, "lower", "ratio"),
    Goal("idle CPU of the border", "idle", "%", 5, "lower"),
    Goal("waking of an idle border", "idle", "us", 100, "lower"),
)


def from_json(line):
    """A figure of a program's line. Unknown keys are for its own readers."""
    row = json.loads(line)
    if not isinstance(row.get("name"), str) or not isinstance(row.get("value"), (int, float)):
        raise ValueError(f"not a figure: {line[:200]}")
    if not math.isfinite(row["value"]):
        raise ValueError(f"{row['name']}: {row['value']} is no figure")
    known = {k: row[k] for k in ("name", "unit", "value", "reference", "reference_value", "goal", "better", "goal_of")
             if row.get(k) is not None}
    return Figure(**known)


def apply_goals(figures):
    """The goals are said once, here; a program that prints another is at odds with the table."""
    by_name = {g.name: g for g in GOALS}
    for f in figures:
        g = by_name.get(f.name)
        if g:
            f.goal, f.better, f.goal_of, f.unit = g.goal, g.better, g.goal_of, f.unit or g.unit
    return figures


def missing(figures, benches, reasons):
    """Figures with a goal that these benchmarks should have given and did not."""
    there = {f.name for f in figures}
    return [Figure(g.name, g.unit, goal=g.goal, better=g.better, goal_of=g.goal_of,
                   why=reasons.get(g.bench, "the benchmark did not print it"))
            for g in GOALS if g.bench in benches and g.name not in there]


def number(value):
    if value is None:
        return "-"
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:,.3g}" if abs(value) < 1 else f"{value:,.2f}"


def goal_text(f):
    if f.goal is None:
        return "-"
    sign = ">=" if f.better == "higher" else "<="
    return f"{sign} {f.goal:,g}" + (" of it" if f.goal_of == "ratio" else f" {f.unit}")


MET = {True: "met", False: "NOT met", None: "-"}
COLUMNS = ("figure", "value", "unit", "reference", "value", "ratio", "goal", "met")


def table(figures):
    """Lines of text: one table for all figures, and below it why some could not be measured."""
    rows = [(f.name, number(f.value), f.unit, f.reference or "-", number(f.reference_value),
             "-" if f.ratio is None else f"{f.ratio:.2f}", goal_text(f),
             "not run" if f.value is None else MET[f.met]) for f in figures]
    width = [max(len(r[i]) for r in [COLUMNS, *rows]) for i in range(len(COLUMNS))]
    right = (1, 4, 5)

    def line(row):
        return "  ".join(c.rjust(w) if i in right else c.ljust(w)
                         for i, (c, w) in enumerate(zip(row, width))).rstrip()

    out = [line(COLUMNS), line(["-" * w for w in width]), *map(line, rows)]
    return out + [f"not run: {f.name}: {' '.join(str(f.why).split())[:600]}" for f in figures if f.value is None]


def write(figures, path):
    with open(path, "w") as f:
        json.dump([g.record() for g in figures], f, indent=1)
        f.write("\n")

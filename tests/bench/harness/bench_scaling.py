"""What several workers relay together, each with a core of its own, by the cycles of the busiest."""

from .bench_programs import run
from .svg import Plot


def scaling(ctx):
    """rate of 1, 2 and 4 workers by cycles: their loops turned in one thread, hand-over between them"""
    rows = run("scale_bench")
    plot = Plot("Scaling with workers, by cycles of the busiest", "workers", "Mpps as if each had a core",
                note="packets of flows of all workers; what is another's is handed over by ring; no device")
    for how in ("all receive", "one receives all"):
        plot.line(how, [(int(f.name.split()[1]), f.value) for f in rows if f.name.endswith(how)])
    one = next(f.value for f in rows if f.name.startswith("scaling: 1 "))
    plot.line("linear", [(n, n * one) for n in (1, 2, 4)], marks=False)
    ctx.plot("scaling.svg", plot)
    return rows

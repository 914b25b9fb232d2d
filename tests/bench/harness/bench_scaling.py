"""What several workers relay together, and what handing packets over costs them."""

import json

from .figures import from_json
from .proc import LabError
from .svg import Plot


def scaling(ctx):
    """work of 1, 2 and 4 workers a packet: their loops turned in one thread, hand-over between them"""
    from scaling import run  # a program of its own, beside the harness
    try:
        rows, series = run()
    except RuntimeError as error:
        raise LabError(str(error)) from error
    plot = Plot("Scaling with workers: packets of all together, each on a core of its own", "workers",
                "times one worker's rate", note="by the cycles of a relayed packet in all workers that touch it; no device")
    for how, points in series.items():
        plot.line(how, [(n, n / cost) for n, cost in points])
    plot.line("linear", [(n, n) for n in (1, 2, 4)], marks=False)
    ctx.plot("scaling.svg", plot)
    ctx.keep("scaling", series)
    return [from_json(json.dumps(row)) for row in rows]

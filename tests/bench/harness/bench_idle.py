"""An idle border: what it burns, and how fast it wakes."""

import json
import statistics
import time

from .figures import Figure, from_json
from .lab import Rings, rtp
from .proc import cpu_between, cpu_ns


RATE = 200  # packets a second, so far apart that the worker sleeps before each


def lone(ctx, rings):
    """Latency of lone packets in us: of several rounds, the median of each percentile; and the rounds."""
    rounds = [rtp(rings.gen, RATE, ctx.pick(1.0, 1.0, 0.3))["latency_ns"] for _ in range(ctx.pick(7, 3, 1))]
    return {p: statistics.median(r[p] for r in rounds) / 1e3 for p in ("p50", "p90", "p99")} | {"rounds": rounds}


def idle(ctx):
    """CPU of an idle border with back-off, and what waking adds to a packet's latency"""
    out, woken = {}, {}
    for mode in ("backoff", "poll"):
        with Rings() as rings:
            rings.start_gen(50)
            rings.start_postern(1000, idle=mode)
            rings.gen.ask("setup 50", 30)
            pid = rings.device.pid
            before = cpu_ns(pid)
            time.sleep(ctx.pick(5, 2, 0.3))
            out[mode] = cpu_between(before, cpu_ns(pid)) / ctx.pick(5, 2, 0.3) / 1e7
            woken[mode] = lone(ctx, rings)
            ctx.say(f"{mode}: {out[mode]:.2f} % of a core, latency of lone packets p50 {woken[mode]['p50']:.1f} us, "
                    f"p90 {woken[mode]['p90']:.1f}, p99 {woken[mode]['p99']:.1f}")
    ctx.keep("idle", {"percent": out, "latency_us": woken})
    return on_rings(out, woken) + on_a_veth(ctx)


def on_rings(out, woken):
    return [Figure("idle CPU of the border", "%", out["backoff"], "idle: poll", out["poll"]),
            Figure("waking of an idle border", "us", woken["backoff"]["p99"], "the same packets, idle: poll",
                   woken["poll"]["p99"]),
            Figure("  its median", "us", woken["backoff"]["p50"], "the same packets, idle: poll",
                   woken["poll"]["p50"])]


def on_a_veth(ctx):
    """The same border on net_af_packet: its worker sleeps in the kernel."""
    try:
        from idle import run  # a program of its own, beside the harness
    except ImportError as error:
        return [Figure("idle CPU of the border, af_packet", "%", why=str(error))]
    rows, raw = run(*ctx.pick((5.0, 300), (2.0, 100), (0.3, 10)))
    ctx.keep("idle, af_packet", raw)
    return [judged(from_json(json.dumps(row))) for row in rows]


def judged(figure):
    """A difference below nothing says that the machine did something else meanwhile."""
    if figure.value >= 0:
        return figure
    return Figure(figure.name, figure.unit, why=f"disturbed: {figure.value:.0f} {figure.unit} less than a border that polls")

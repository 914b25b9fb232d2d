"""An idle border: what it burns, and how fast it wakes."""

import time

from .bench_relay import border
from .figures import Figure
from .lab import Rings, rtp
from .proc import cpu_between, cpu_ns


def idle(ctx):
    """CPU of an idle border with back-off, and what waking adds to a packet's latency"""
    out, woken = {}, {}
    for mode in ("backoff", "poll"):
        with Rings() as rings:
            border(rings, 50, idle=mode)
            pid = rings.device.pid
            before = cpu_ns(pid)
            time.sleep(ctx.pick(5, 2, 0.3))
            out[mode] = cpu_between(before, cpu_ns(pid)) / ctx.pick(5, 2, 0.3) / 1e7
            woken[mode] = rtp(rings.gen, ctx.pick(200, 200, 200), ctx.pick(5, 2, 0.5))["latency_ns"]
            ctx.say(f"{mode}: {out[mode]:.2f} % of a core, latency of lone packets p50 "
                    f"{woken[mode]['p50'] / 1e3:.1f} us, p99 {woken[mode]['p99'] / 1e3:.1f}")
    ctx.keep("idle", {"percent": out, "latency_ns": woken})
    return [Figure("idle CPU of the border", "%", out["backoff"], "idle: poll", out["poll"]),
            Figure("waking of an idle border", "us", woken["backoff"]["p99"] / 1e3, "the same packets, idle: poll",
                   woken["poll"]["p99"] / 1e3),
            Figure("  its median", "us", woken["backoff"]["p50"] / 1e3, "the same packets, idle: poll",
                   woken["poll"]["p50"] / 1e3)]

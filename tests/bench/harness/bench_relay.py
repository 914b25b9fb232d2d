"""RTP relayed over the rings: the rate without loss, latency, and throughput against flows.

Postern and testpmd's macswap take turns on the same sockets with the same generator: what
the machine does meanwhile meets both. Of the pairs the one with the median ratio is quoted.
"""

import math
import statistics

from .figures import LINE_RATE_MPPS, Figure
from .lab import Rings, rtp
from .proc import LabError
from .search import Plan, Search
from .svg import Plot

MACSWAP = "testpmd macswap"


def border(rings, calls, **settings):
    """Postern with so many calls up; two flows a call: one each way."""
    rings.start_gen(calls)
    # Media alone is measured: no Redis competes with the generator for its CPU.
    rings.start_postern(calls + 100, cps=max(2000, min(calls, 20000)), state=rings.no_state(), waits=False, **settings)
    up = rings.gen.ask(f"setup {calls}", 120)
    if up["up"] < calls:
        raise LabError(f"{up['up']} of {calls} calls were set up: {up}")
    return rings.gen


def reference(rings, calls):
    rings.start_gen(calls, reference=True)
    rings.start_testpmd()
    return rings.gen


def flood(gen, seconds):
    """All that goes, in packets a second as they arrived; the first one warms up and proves sources."""
    return max(rtp(gen, 0, seconds, 0.5)["rx_mpps"], rtp(gen, 0, seconds, 0)["rx_mpps"]) * 1e6


def non_drop(ctx, rings):
    gen = rings.gen
    top = flood(gen, ctx.pick(0.5, 0.3, 0.05)) * 1.02
    plan = Plan(top, seconds=ctx.pick(0.2, 0.2, 0.05), trials=ctx.pick(5, 3, 1), steps=ctx.pick(5, 4, 1),
                confirm_trials=ctx.pick(15, 5, 1), budget=ctx.pick(15.0, 10.0, 5.0))
    found = Search(rings.trial, plan).run()
    ctx.say(f"{found.ndr / 1e6:.2f} Mpps without loss ({'confirmed' if found.confirmed else 'NOT confirmed'}: "
            f"{found.clean:.0%} of {plan.confirm_trials} trials), {found.ppm_rate / 1e6:.2f} at <= 10 ppm, "
            f"{top / 1.02e6:.2f} at most")
    return top / 1.02, found


def pairs(ctx, calls, rounds, turned=False):
    out = []
    for _ in range(rounds):
        pair = []
        for name, start in (("Postern", border), (MACSWAP, reference)):
            ctx.say(f"{name}, {calls * 2} flows")
            with Rings(turned) as rings:
                start(rings, calls)
                pair.append(non_drop(ctx, rings))
        out.append(pair)
    ctx.keep(f"relay, {calls * 2} flows" + (", the device copies" if turned else ""), [
        {name: {"most_pps": most, **vars(found)} for name, (most, found) in zip(("Postern", MACSWAP), pair)}
        for pair in out])
    return out


def middle(runs, value):
    """The pair whose ratio is the median one."""
    rated = sorted((p for p in runs if value(p[1])), key=lambda p: value(p[0]) / value(p[1]))
    return rated[(len(rated) - 1) // 2] if rated else None


def figures_of(runs, flows, goal_10g, how=""):
    text = f"{flows:,} flows{how}"
    by = {"no loss": lambda r: r[1].ndr, "at most 10 ppm lost": lambda r: r[1].ppm_rate, "all that goes": lambda r: r[0]}
    out = []
    for what, value in by.items():
        # Where testpmd has no such rate either there is nothing to compare with; the value stands.
        pair = middle(runs, value) or runs[0]
        ours, theirs = value(pair[0]) / 1e6, value(pair[1]) / 1e6 or None
        out.append(Figure(f"RTP relay, {text}, {what}", "Mpps", ours, MACSWAP, theirs))
        if what == "no loss" and goal_10g:
            out.append(Figure(f"RTP relay, {text}, no loss, against 10 GbE", "Mpps", ours, "10 GbE of 214 B frames",
                              LINE_RATE_MPPS))
    clean = [[r[1].clean * 100 for r in pair] for pair in runs]
    out.append(Figure(f"  trials at that rate that lost nothing, {text}", "%", statistics.median(p[0] for p in clean),
                      MACSWAP, statistics.median(p[1] for p in clean)))
    return out


def relay(ctx):
    """RTP relay, 1,000 flows: the rate without loss beside testpmd macswap's"""
    return figures_of(pairs(ctx, 500, ctx.pick(3, 1, 1)), 1000, True)


def relay_copies(ctx):
    """the same with the rings turned about: the device under test copies the packets, the generator has room"""
    return figures_of(pairs(ctx, 500, 1, turned=True), 1000, False, ", device copies")


def relay100k(ctx):
    """RTP relay, 100,000 flows: the same"""
    calls = ctx.pick(50000, 50000, 200)
    return figures_of(pairs(ctx, calls, 1), 100000 if calls == 50000 else calls * 2, False)


LAYOUTS = {
    "packed, in order, 4,096 (as in the others)": "queue_size=4096,packed_vq=1,in_order=1,mrg_rxbuf=0",
    "packed, in order, 1,024": "queue_size=1024,packed_vq=1,in_order=1,mrg_rxbuf=0",
    "packed, in order, 256": "queue_size=256,packed_vq=1,in_order=1,mrg_rxbuf=0",
    "packed, any order, 1,024": "queue_size=1024,packed_vq=1,in_order=0,mrg_rxbuf=0",
    "packed, mergeable, 1,024": "queue_size=1024,packed_vq=1,in_order=1,mrg_rxbuf=1",
    "split, in order, 1,024": "queue_size=1024,packed_vq=0,in_order=1,mrg_rxbuf=0",
    "split, any order, 1,024": "queue_size=1024,packed_vq=0,in_order=0,mrg_rxbuf=0",
}


def layouts(ctx):
    """what the layout of the rings is worth: all that goes, 1,000 flows, Postern and testpmd"""
    out = []
    for name, layout in LAYOUTS.items():
        found = []
        for start in (border, reference):
            with Rings(layout=layout) as rings:
                gen = start(rings, 500)
                found.append(statistics.median(flood(gen, ctx.pick(0.4, 0.3, 0.05)) for _ in range(ctx.pick(3, 1, 1))) / 1e6)
        ctx.say(f"{name}: {found[0]:.2f} Mpps, testpmd {found[1]:.2f}")
        out.append(Figure(f"rings: {name}", "Mpps", found[0], MACSWAP, found[1]))
    return out


def latency(ctx):
    """relay latency at 1 Mpps, 1,000 flows, beside testpmd macswap's"""
    rate, seconds = ctx.pick(1e6, 1e6, 1e5), ctx.pick(2.0, 1.0, 0.2)
    runs = []
    for _ in range(ctx.pick(3, 1, 1)):
        pair = []
        for start in (border, reference):
            with Rings() as rings:
                gen = start(rings, 500)
                rtp(gen, rate, 0.3, 0.3)
                pair.append(rtp(gen, rate, seconds))
        runs.append(pair)
        ctx.say("p99 {:.1f} us, macswap {:.1f}".format(*(r["latency_ns"]["p99"] / 1e3 for r in pair)))
    ctx.keep("latency", runs)

    def median_pair(p):
        return sorted(runs, key=lambda r: r[0]["latency_ns"][p] / max(1, r[1]["latency_ns"][p]))[(len(runs) - 1) // 2]

    out = []
    for p in ("p99", "p50", "p999"):
        ours, theirs = (r["latency_ns"][p] / 1e3 for r in median_pair(p))
        out.append(Figure(f"relay latency {p} at 1 Mpps", "us", ours, MACSWAP, theirs))
    plot = Plot("Relay latency at 1 Mpps, 1,000 flows", "latency, us (through the border and both rings)",
                "share of packets, %", log_x=True, note="214 B frames over virtio-user/vhost, one worker core")
    for name, answer in zip(("Postern", MACSWAP), median_pair("p99")):
        plot.line(name, shares(answer["histogram"]), marks=False)
    ctx.plot("latency.svg", plot)
    return out


def shares(histogram, bins_a_decade=20):
    """Percent of packets in bins that are even on a logarithmic axis."""
    total = sum(n for _, n in histogram)
    grouped = {}
    for upper, n in histogram:
        key = round(bins_a_decade * math.log10(max(upper, 1)))
        grouped[key] = grouped.get(key, 0) + n
    if not grouped:
        return []
    return [(10 ** (key / bins_a_decade) / 1e3, 100 * grouped.get(key, 0) / total)
            for key in range(min(grouped) - 1, max(grouped) + 2)]


def flows(ctx):
    """throughput against flows: at most 10 ppm lost, from 10 flows to 100,000"""
    counts = ctx.pick([50, 500, 5000, 50000], [50, 5000], [5, 50])
    plot = Plot("RTP relay: throughput against flows", "flows (two a call)", "Mpps, at most 10 ppm lost", log_x=True,
                note="214 B frames over virtio-user/vhost, one worker core")
    lines = {"Postern": [], MACSWAP: []}
    for calls in counts:
        for name, start in (("Postern", border), (MACSWAP, reference)):
            with Rings() as rings:
                gen = start(rings, calls)
                top = flood(gen, ctx.pick(0.4, 0.3, 0.05)) * 1.02
                plan = Plan(top, seconds=ctx.pick(0.4, 0.3, 0.05), trials=1, steps=ctx.pick(4, 3, 1), budget=4.0)
                lines[name].append((calls * 2, Search(rings.trial, plan).few_lost() / 1e6))
        ctx.say(f"{calls * 2} flows: " + ", ".join(f"{k} {v[-1][1]:.2f} Mpps" for k, v in lines.items()))
    ctx.keep("throughput against flows", lines)
    for name, points in lines.items():
        plot.line(name, points)
    plot.limit("10 GbE of 214 B frames", LINE_RATE_MPPS)
    ctx.plot("throughput-flows.svg", plot)
    return [Figure(f"throughput at {n:,} flows, at most 10 ppm lost", "Mpps", ours, MACSWAP, theirs)
            for (n, ours), (_, theirs) in zip(lines["Postern"], lines[MACSWAP])]

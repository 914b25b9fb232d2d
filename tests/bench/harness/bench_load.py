"""Registrations over the rings, and floods beside calls: the highest load at which nobody is failed."""

from .bench_calls import AGAIN, AGAIN_AT_MOST, KEPT_NS, again, clean, offer, start, told
from .figures import Figure
from .lab import Rings
from .search import ladder

PHONES = 20000
OFFERED = 0.9
CALLS = 2000  # a second, beside a flood
OPEN_REGISTRAR = 12000  # refreshes a second a core, published
KINDS = {"garbage": "datagrams that are no SIP", "rtp": "RTP from strangers", "fragment": "fragments without their rest"}


def refreshed(answer):
    """None failed; and hardly any was asked for again, as of calls."""
    return answer["done"] == answer["attempted"] > 0 and not answer["skipped"] \
        and answer["retransmissions"] <= AGAIN * answer["attempted"]


def registers(ctx):
    """REGISTER refreshes a second, each through to the registrar and back"""
    rings_of = {"cps": ctx.pick(18000, 18000, 2000), "registrations": PHONES + 100, "mbufs": 65536, "waits": False}
    seconds = ctx.pick(2.0, 1.0, 0.3)
    with Rings() as rings:
        def begin():
            rings.clear()
            rings.start_gen(1000)
            rings.start_postern(1000, state=rings.no_state(), **rings_of)

        def trial(rate):
            answer = rings.watched(lambda: rings.gen.ask(f"register {rate:.0f} {seconds:g} {PHONES}", seconds + 60), KEPT_NS)
            good = refreshed(answer)
            ctx.say(f"{rate:,.0f} REGISTER/s: {answer['done']} of {answer['attempted']} refreshed, "
                    f"{answer['retransmissions']} sent again" + (", disturbed" if answer["disturbed"] and not good else ""))
            if not good:
                begin()
            return good, answer["disturbed"]

        def works(rate):
            """Again when it was not clean while the machine kept a thread from its CPU."""
            for _ in range(1 + ctx.pick(AGAIN_AT_MOST, 1, 0)):
                good, disturbed = trial(rate)
                if good or not disturbed:
                    return good
            return False

        begin()
        rate = ladder(works, ctx.pick(10000, 10000, 200), 2, ctx.pick(2, 1, 0), ctx.pick(120000, 120000, 200))
    return [Figure("REGISTER refreshes a second, none failed", "1/s", float(rate),
                   "best open proxy, a core, published", OPEN_REGISTRAR)]


def flooded(ctx, rings, kind, pps):
    """Whether calls at a steady rate all end well beside that flood; and how much of it there was."""
    seconds = ctx.pick(2.0, 1.0, 0.3)
    flood = f"flood {kind} {pps:.0f} {seconds + 0.5:g}"
    rings.gen.tell(flood + " &")
    answer = offer(rings.gen, ctx.pick(CALLS, CALLS, 200), seconds)
    taken = rings.gen.take(flood, seconds + 60)
    ctx.say(f"{kind}, {taken['pps'] / 1e6:.2f} Mpps: {told(answer)}")
    return clean(answer, again(ctx)), taken["pps"]


def floods(ctx):
    """floods beside 2,000 calls a second: the most of each kind that fails no call"""
    out = []
    for kind, what in KINDS.items():
        best = [0.0]
        with Rings() as rings:
            start(ctx, rings)

            def works(pps, rings=rings, kind=kind, best=best):
                good, taken = flooded(ctx, rings, kind, pps)
                if good:
                    best[0] = max(best[0], taken)
                else:
                    start(ctx, rings)
                return good and taken >= OFFERED * pps  # else the generator can no more
            ladder(works, ctx.pick(1e6, 1e6, 1e4), 2, ctx.pick(1, 1, 0), ctx.pick(8e6, 8e6, 1e4))
        out.append(Figure(f"flood beside 2,000 calls/s, none failed: {what}", "Mpps", best[0] / 1e6,
                          "SIP of those calls", ctx.pick(CALLS, CALLS, 200) * 13 / 1e6))
    return out

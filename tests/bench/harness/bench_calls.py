"""Calls over the rings: how many a second none of which fails, and what one costs.

A call counts when both ends saw all of it, and nothing of one side was seen by the
other: the load generator checks every message. One that fails, times out or leaks
fails the whole trial.
"""

from .context import SMOKE
from .figures import Figure
from .lab import Rings
from .proc import LabError, children, cpu_between, cpu_ns
from .search import ladder, middle_of
from .svg import Plot

HOLD_MS = 200
KEPT_NS = 8000000  # a ring of 4,096 holds as much of 64,000 calls a second
AGAIN_AT_MOST = 2
AGAIN = 0.01  # retransmissions of a call: more is an overload that calls survive
ROOM = 65536  # calls at once; those that have ended stay for half a minute in the border's transactions
WORKERS = "rte-worker"  # names of their threads
NAP_US = 100  # of the generator, where control and Redis have its CPU
BEST_B2BUA = 3100  # calls a second a core, published


def offer(gen, rate, seconds, hold_ms=HOLD_MS):
    return gen.ask(f"cps {rate:.0f} {seconds:g} {hold_ms}", seconds + 60)


def clean(answer, again=AGAIN):
    """Nothing failed, was lost or leaked; and no queue stood so long that calls had to be asked for again."""
    return answer["done"] == answer["attempted"] > 0 and not answer["failed"] and not answer["timed_out"] \
        and not answer["leaks"] and answer["retransmissions"] <= again * answer["attempted"]


def again(ctx):
    """A test of the harness is not to hang on a machine's speed."""
    return ctx.pick(AGAIN, AGAIN, 100)


def told(answer):
    bad = {k: answer[k] for k in ("failed", "timed_out", "leaks", "faulty", "unfinished", "retransmissions", "late")
           if answer.get(k)}
    if answer.get("disturbed") and not clean(answer):
        bad["disturbed"] = True
    return f"{answer['done']} of {answer['attempted']} done, busy {answer.get('busy', 0):.2f}" + (f", {bad}" if bad else "")


def tried(ctx, rings, rate, seconds, what):
    """One trial; again when it was not clean while the machine kept a thread from its CPU."""
    for _ in range(1 + ctx.pick(AGAIN_AT_MOST, 1, 0)):
        answer = rings.watched(lambda: offer(rings.gen, rate, seconds), KEPT_NS)
        ctx.say(f"{rate:,.0f} calls/s{what}: {told(answer)}")
        if clean(answer, again(ctx)):
            return answer
        start(ctx, rings)
        if not answer["disturbed"]:
            break
    return answer


def start(ctx, rings):
    """A fresh border: what an overload has left behind is not the next rate's to carry."""
    rings.clear()
    rings.start_gen(ROOM)
    # The limit is what it keeps finished transactions of, 32 s of them: the trials do not last so long.
    rings.start_postern(ROOM, cps=ctx.pick(18000, 18000, 2000), mbufs=65536, state=rings.no_state(), waits=False)
    offer(rings.gen, 200, ctx.pick(1, 0.5, 0.1))  # warm


def climb(ctx, rings, lowest, top):
    """The highest clean rate, and the answer of its longer trial."""
    answers, seconds = {}, ctx.pick(8.0, 3.0, 0.2)

    def works(rate):
        answer = answers[rate] = tried(ctx, rings, rate, ctx.pick(2.0, 1.0, 0.2), "")
        return clean(answer, again(ctx))

    start(ctx, rings)
    rate = ladder(works, lowest, 2, ctx.pick(3, 2, 0), top)
    for _ in range(ctx.pick(4, 2, 1) if rate >= lowest else 0):
        start(ctx, rings)
        answer = tried(ctx, rings, rate, seconds, ", longer")
        if clean(answer, again(ctx)):
            return answer["done"] / seconds, answer, answers
        rate *= 0.9
    return 0, None, answers


def calls(ctx):
    """calls a second over the rings, the highest rate at which none fails"""
    with Rings() as rings:
        rate, answer, answers = climb(ctx, rings, ctx.pick(2000, 2000, 200), ctx.pick(64000, 64000, 200))
        stats = rings.gen.ask("stats")
    ctx.keep("calls", {"answers": answers, "longer": answer, "generator": stats})
    if not answer:
        raise LabError("no rate was clean, not even the slowest")
    full = stats.get("headroom", {}).get("full_cps")
    return [Figure("calls a second over the rings, none failed", "calls/s", rate,
                   "best open B2BUA, a core, published", BEST_B2BUA),
            Figure("  set-up time at that rate, p99", "us", answer["setup_ns"]["p99"] / 1e3, "its median",
                   answer["setup_ns"]["p50"] / 1e3, better="lower"),
            Figure("  calls a second of which the generator alone would be full", "calls/s", full or None,
                   "the rate above", rate,
                   why="the generator does not say" if not full else None)]


def degraded(rings):
    """Answers that have left without Redis' word so far, as their 50 ms were over."""
    return rings.control("status")["degraded_total"]


def busy_us(rings):
    """What workers have spent so far in turns that found something to do."""
    return sum(w["busy_us"] for w in rings.control("status")["workers"])


def measured(rings, rate, seconds):
    """CPU of the border and of its Redis while calls come at a rate; us a call."""
    pid, redis, unkept, busy = rings.device.pid, children(rings.device.pid), degraded(rings), busy_us(rings)
    before, server = cpu_ns(pid), {p: cpu_ns(p) for p in redis}
    answer = offer(rings.gen, rate, seconds)
    after = cpu_ns(pid)
    each = max(1, answer["done"]) * 1e3
    names = {}
    for tid, ns in after.items():
        try:
            with open(f"/proc/{pid}/task/{tid}/comm") as f:
                name = f.read().strip()
        except OSError:
            name = "ended"
        names[name] = round(names.get(name, 0) + (ns - before.get(tid, 0)) / each, 2)
    polled = sum(us for name, us in names.items() if name.startswith(WORKERS))
    border = cpu_between(before, after) / each
    return {"rate": rate, "answer": answer, "degraded": degraded(rings) - unkept, "border_us": border, "threads_us": names,
            "work_us": border - polled + (busy_us(rings) - busy) * 1e3 / each,
            "redis_us": sum(cpu_between(server[p], cpu_ns(p)) for p in redis) / each}


def load_line(ctx, durable, rates, seconds):
    """What a call costs at each rate, up to the first that is not clean: where a call is answered unkept, too."""
    out = []
    with Rings() as rings:
        # Control and Redis have the generator's CPU: it may not poll where they have to run.
        rings.start_gen(ROOM, options=["--nap", str(NAP_US)])
        state = f'directory: "{rings.dir}/state", durable: {durable}' if durable else rings.no_state()
        rings.start_postern(ROOM, cps=max(2000, rates[-1] * 3 // 4), mbufs=65536, idle="backoff", state=state, waits=bool(durable))
        offer(rings.gen, rates[0], ctx.pick(1, 0.5, 0.1))  # warm
        for rate in rates:
            m = next((m for m in tries(ctx, rings, rate, seconds, durable) if kept(ctx, m)), None)
            if not m:
                break
            out.append(m)
        # A rate that was clean once by luck is none: the figure is the median of windows most of which were clean.
        while out:
            again_at = [out[-1], *tries(ctx, rings, out[-1]["rate"], seconds, durable, ctx.pick(4, 2, 0))]
            best = middle_of(again_at, lambda m: kept(ctx, m), lambda m: m["border_us"])
            if best:
                out[-1] = {**best, "least_us": min(m["border_us"] for m in again_at if kept(ctx, m))}
                break
            out.pop()
    return out


def tries(ctx, rings, rate, seconds, durable, times=2):
    """A rate twice: one pause of the machine's is longer than the 50 ms that an answer waits."""
    for _ in range(times):
        m = measured(rings, rate, seconds)
        ctx.say(f"{durable or 'no state'}, {rate:,} calls/s: border {m['border_us']:.1f} us a call {m['threads_us']}, "
                f"{m['work_us']:.1f} without polling, Redis {m['redis_us']:.1f}; set up in "
                f"{m['answer']['setup_ns']['p50'] / 1e3:,.0f} us; {told(m['answer'])}"
                + (f", {m['degraded']} answered unkept" if m["degraded"] else ""))
        yield m


def kept(ctx, m):
    """All went well, and no answer left before Redis had it."""
    return clean(m["answer"], again(ctx)) and (not m["degraded"] or ctx.scale == SMOKE)


def durable(ctx):
    """CPU of a call with durable Redis state: all threads of the border, Redis beside it"""
    rates = ctx.pick([1000, 2000, 4000, 6000, 8000, 10000, 12000, 15000, 18000], [1000, 4000], [100])
    lines = {name: load_line(ctx, mode, rates, ctx.pick(2.5, 1.5, 0.3))
             for name, mode in (("durable before answered", "answer"), ("written behind", "behind"), ("nothing kept", None))}
    ctx.keep("CPU of a call", lines)
    plot = Plot("CPU of a call against load", "calls a second", "us of CPU a call",
                note="all threads of the border (idle: backoff), one worker; a call: INVITE 100 180 200 ACK BYE 200")
    for name, line in lines.items():
        plot.line(f"border, {name}", [(m["rate"], m["border_us"]) for m in line])
    plot.line("Redis, durable before answered", [(m["rate"], m["redis_us"]) for m in lines["durable before answered"]])
    plot.limit("goal: 40 us", 40)
    ctx.plot("cost-load.svg", plot)
    if not lines["durable before answered"]:
        raise LabError("not even the slowest rate was clean")
    best = lines["durable before answered"][-1]
    out = [Figure("CPU of a call, durable state", "us", best["border_us"], "Redis' own CPU for it", best["redis_us"]),
           Figure("  of it control, and turns of the worker that found something", "us", best["work_us"],
                  "all of it", best["border_us"]),
           Figure("  in the window in which it was least", "us", best["least_us"], "the median window", best["border_us"]),
           Figure("  at that many calls a second, none failed", "calls/s", float(best["rate"]))]
    for name in ("written behind", "nothing kept"):
        if lines[name]:
            same = min(lines[name], key=lambda m: abs(m["rate"] - best["rate"]))
            out.append(Figure(f"CPU of a call, {name}", "us", same["border_us"], "durable before answered",
                              best["border_us"], better="lower"))
    return out

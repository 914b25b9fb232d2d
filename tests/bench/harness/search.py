"""The non-drop rate of RFC 2544 section 26.1, by halving, with repeated trials.

A trial offers a constant rate for some seconds and says what was sent and lost. Two
rates are searched for: the highest that loses at most 10 of a million packets, by
one trial each, and from there down the highest of which most trials of several lose
nothing at all. The latter is confirmed by more trials, of which most must be clean
again; else the rate is lowered by a step and confirmed again. How many were clean is
told with the rate. Frames that the rings did not take when they were due count as
lost: a wire would not have waited for them. What was not due, because the generator
itself had no CPU then, is not lost.

Most and not all: the host of a virtual machine takes a CPU away for longer than any
ring holds, some times a second, and tells nobody (pauses_bench counts it). One long
trial, or all of many, would measure how often. A device that loses by itself at a
rate loses in most trials.

A trial that lost something while a polling thread was kept from its CPU, as far as the
kernel or the host tells of it, says nothing about the device: it is repeated, some
times at most. Such trials are in the details, marked as disturbed.

On a machine that disturbs every trial a search would take for ever. It has a time, after
which nothing is repeated and nothing refined: what was found by then stands.
"""

import time
from dataclasses import dataclass, field

PPM = 1e6
ON_TIME = 0.999  # of what was to be offered: the generator's own start and end are in it


@dataclass
class Plan:
    top: float  # packets a second; what goes when all is offered
    seconds: float = 0.2
    trials: int = 5  # of a rate, at most
    steps: int = 5
    confirm_trials: int = 15
    lower: float = 0.95  # the step down when most of those lost something
    confirms: int = 4
    ppm: float = 10.0
    repeats: int = 2  # of a trial that was disturbed
    budget: float = 60.0  # seconds for all of a search


@dataclass
class Found:
    """Rates in packets a second as they arrived; 0 when there is none."""

    ndr: float = 0.0
    ppm_rate: float = 0.0
    ppm_loss: float = 0.0
    confirmed: bool = False
    clean: float = 0.0  # share of the confirming trials
    out_of_time: bool = False
    trials: list = field(default_factory=list)


def loss_ppm(answer, rate, seconds):
    """Lost packets and packets that could not be offered in time, of a million that were due."""
    due = rate * max(0.0, seconds - answer.get("paused_us", 0) / 1e6)
    unsent = max(0.0, due * ON_TIME - answer["tx"])
    return (answer["lost"] + unsent) / due * PPM if due else PPM


class Search:
    def __init__(self, trial, plan):
        self.trial, self.plan, self.found = trial, plan, Found()
        self.end = time.monotonic() + plan.budget

    def _late(self):
        self.found.out_of_time |= time.monotonic() > self.end
        return self.found.out_of_time

    def _try(self, rate, seconds):
        for _ in range(1 + self.plan.repeats):
            answer = self.trial(rate, seconds)
            ppm, disturbed = loss_ppm(answer, rate, seconds), bool(answer.get("disturbed"))
            self.found.trials.append({"pps": rate, "seconds": seconds, "ppm": ppm, "lost": answer["lost"],
                                      "tx": answer["tx"], "rx": answer["rx"], "disturbed": disturbed})
            if ppm == 0 or not disturbed or self._late():
                break
        return ppm, answer["rx"] / seconds

    def _halve(self, high, good):
        """The highest rate for which `good` gives what arrived; 0 when none."""
        low = best = 0.0
        rate = high
        for _ in range(self.plan.steps + 1):
            arrived = good(rate)
            if arrived:
                low, best = rate, arrived
                if rate == high:
                    break
            else:
                high = rate
            if best and self._late():
                break
            rate = (low + high) / 2
        return low, best

    def _few_lost(self, rate):
        ppm, arrived = self._try(rate, self.plan.seconds)
        if ppm > self.plan.ppm:
            return 0
        self.found.ppm_loss = ppm
        return arrived

    def _clean(self, rate, trials, all_of_them=False):
        """What arrived in the worst clean trial, 0 unless most were clean; and their share."""
        most, arrived = trials // 2 + 1, []
        for done in range(1, trials + 1):
            ppm, rx = self._try(rate, self.plan.seconds)
            arrived += [rx] if ppm == 0 else []
            decided = len(arrived) >= most or done - len(arrived) > trials - most
            if decided and (not all_of_them or self._late()):
                break
        return min(arrived) if len(arrived) >= most else 0, len(arrived) / done

    def _none_lost(self, rate):
        return self._clean(rate, self.plan.trials)[0]

    def few_lost(self):
        """Only the rate that loses little, for plots."""
        return self._halve(self.plan.top, self._few_lost)[1]

    def run(self):
        p, f = self.plan, self.found
        rate, f.ppm_rate = self._halve(p.top, self._few_lost)
        rate, f.ndr = self._halve(rate or p.top, self._none_lost)
        for _ in range(p.confirms if rate else 0):
            arrived, f.clean = self._clean(rate, p.confirm_trials, True)
            if arrived:
                f.ndr, f.confirmed = min(f.ndr, arrived), True
                break
            rate *= p.lower
            f.ndr *= p.lower
            if self._late():
                break
        return f


def ladder(works, start, factor, steps, top):
    """The highest load that `works(load)` accepts: upwards by a factor, then by halving."""
    low, load, high = 0, start, None
    while high is None:
        if works(load):
            low = load
            if load >= top:
                return low
            load = min(top, load * factor)
        else:
            high = load
    for _ in range(steps):
        middle = (low + high) / 2
        if works(middle):
            low = middle
        else:
            high = middle
    return low


def middle_of(trials, is_clean, cost):
    """Of trials at one rate that were clean the one in the middle by what it cost; None where most were not clean."""
    clean = sorted((t for t in trials if is_clean(t)), key=cost)
    return clean[len(clean) // 2] if 2 * len(clean) > len(trials) else None

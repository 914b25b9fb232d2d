"""Plots by hand: axes with round numbers and units, a legend, a light background."""

import math
from xml.sax.saxutils import escape

COLOURS = ("#1b6ca8", "#d1495b", "#2e933c", "#edae49", "#6f4c9b", "#555555")
WIDTH, HEIGHT = 860, 500
LEFT, RIGHT, TOP, BOTTOM = 86, 24, 56, 66


def nice(value):
    """1,000 as 1,000; 0.25 as 0.25."""
    return f"{value:,.0f}" if value >= 1000 or value == int(value) else f"{value:g}"


def linear_ticks(low, high, wanted=6):
    step = 10 ** math.floor(math.log10((high - low) / wanted))
    while (high - low) / step > wanted:
        step *= 2 if (high - low) / step <= 2 * wanted else 2.5 if (high - low) / step <= 2.5 * wanted else 5
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, int(high / step + 1e-9) + 1)]


def log_ticks(low, high):
    return [10.0 ** e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


class Axis:
    def __init__(self, values, log, begin, end, from_zero=True):
        self.log, self.begin, self.end = log, begin, end
        low, high = min(values), max(values)
        if log:
            self.ticks = log_ticks(low, high * 1.0000001)
            if len(self.ticks) < 2:
                self.ticks.append(self.ticks[0] * 10)
            self.low, self.high = self.ticks[0], self.ticks[-1]
        else:
            low = 0.0 if from_zero else low
            high = high * 1.05 if high > low else low + 1
            self.low, self.high, self.ticks = low, high, linear_ticks(low, high)

    def at(self, value):
        if self.log:
            share = math.log10(max(value, self.low) / self.low) / math.log10(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.begin + share * (self.end - self.begin)


class Plot:
    """Lines with marks, each a name and points (x, y) in the axes' units."""

    def __init__(self, title, x_label, y_label, log_x=False, log_y=False, note=""):
        self.title, self.x_label, self.y_label, self.note = title, x_label, y_label, note
        self.log_x, self.log_y = log_x, log_y
        self.lines, self.limits = [], []

    def line(self, name, points, marks=True):
        points = [p for p in points if p[1] is not None and (not self.log_x or p[0] > 0) and
                  (not self.log_y or p[1] > 0)]
        if points:
            self.lines.append((name, points, marks))

    def limit(self, name, y):
        """A level to be compared with: a line rate, a goal."""
        self.limits.append((name, y))

    def svg(self):
        xs = [x for _, points, _ in self.lines for x, _ in points]
        ys = [y for _, points, _ in self.lines for _, y in points] + [y for _, y in self.limits]
        x = Axis(xs, self.log_x, LEFT, WIDTH - RIGHT)
        y = Axis(ys, self.log_y, HEIGHT - BOTTOM, TOP)
        return "\n".join([*self._frame(x, y), *self._limits(y), *self._lines(x, y), *self._legend(), "</svg>", ""])

    def _frame(self, x, y):
        out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
               f'height="{HEIGHT}" font-family="Helvetica, Arial, sans-serif" font-size="13" fill="#222">',
               f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fdfdfb"/>',
               f'<text x="{LEFT}" y="26" font-size="17" font-weight="bold">{escape(self.title)}</text>',
               f'<text x="{LEFT}" y="44" font-size="12" fill="#666">{escape(self.note)}</text>']
        for tick in x.ticks:
            at = x.at(tick)
            out += [f'<line x1="{at:.1f}" y1="{TOP}" x2="{at:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#e4e4de"/>',
                    f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{nice(tick)}</text>']
        for tick in y.ticks:
            at = y.at(tick)
            out += [f'<line x1="{LEFT}" y1="{at:.1f}" x2="{WIDTH - RIGHT}" y2="{at:.1f}" stroke="#e4e4de"/>',
                    f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{nice(tick)}</text>']
        middle = (TOP + HEIGHT - BOTTOM) / 2
        return out + [
            f'<path d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}" fill="none" stroke="#444"/>',
            f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 20}" text-anchor="middle">{escape(self.x_label)}</text>',
            f'<text x="20" y="{middle}" text-anchor="middle" transform="rotate(-90 20 {middle})">'
            f'{escape(self.y_label)}</text>']

    def _limits(self, y):
        return [f'<line x1="{LEFT}" y1="{y.at(v):.1f}" x2="{WIDTH - RIGHT}" y2="{y.at(v):.1f}" stroke="#888" '
                f'stroke-dasharray="6 4"/><text x="{WIDTH - RIGHT - 4}" y="{y.at(v) - 5:.1f}" text-anchor="end" '
                f'font-size="12" fill="#666">{escape(name)}</text>' for name, v in self.limits]

    def _lines(self, x, y):
        out = []
        for (_, points, marks), colour in zip(self.lines, COLOURS * 3):
            path = " ".join(f"{x.at(a):.1f},{y.at(b):.1f}" for a, b in points)
            out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
            if marks:
                out += [f'<circle cx="{x.at(a):.1f}" cy="{y.at(b):.1f}" r="3.5" fill="{colour}"/>' for a, b in points]
        return out

    def _legend(self):
        out, wide = [], 8 * max((len(n) for n, _, _ in self.lines), default=0) + 40
        left = WIDTH - RIGHT - wide - 8
        out.append(f'<rect x="{left}" y="{TOP + 8}" width="{wide}" height="{20 * len(self.lines) + 8}" '
                   'fill="#fdfdfb" fill-opacity="0.9" stroke="#ccc"/>')
        for i, ((name, _, _), colour) in enumerate(zip(self.lines, COLOURS * 3)):
            at = TOP + 26 + 20 * i
            out.append(f'<line x1="{left + 8}" y1="{at - 4}" x2="{left + 28}" y2="{at - 4}" stroke="{colour}" '
                       f'stroke-width="3"/><text x="{left + 34}" y="{at}">{escape(name)}</text>')
        return out

#!/usr/bin/env python3
"""Draws the plots of docs/performance.md from what `make bench` measured.

scripts/plot.py RESULTS.json [FOLDER]      (default: docs/img)
"""

import html
import json
import math
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
INK, GRID, OURS, RIVAL, FLOOR = "#24292f", "#d8dee4", "#0969da", "#bc4c00", "#57606a"


class Svg:
    def __init__(self, width, height, title):
        self.size = (width, height)
        self.parts = [f'<rect width="{width}" height="{height}" fill="#ffffff"/>']
        self.text(16, 24, title, size=15, weight="bold")

    def text(self, x, y, words, size=12, anchor="start", color=INK, weight="normal"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{color}" '
                          f'font-weight="{weight}">{html.escape(str(words))}</text>')

    def line(self, x1, y1, x2, y2, color=GRID, width=1.0):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" '
                          f'stroke-width="{width}"/>')

    def bar(self, x, y, width, height, color):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" height="{height:.1f}" '
                          f'fill="{color}"/>')

    def path(self, points, color):
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{drawn}" fill="none" stroke="{color}" stroke-width="2"/>')
        for x, y in points:
            self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>')

    def write(self, path):
        width, height = self.size
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
                       f'height="{height}" font-family="system-ui, sans-serif">\n')
            file.write("\n".join(self.parts))
            file.write("\n</svg>\n")


def nanoseconds(value):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g} ns"


def bars(median, path):
    """Cost by path: a logarithmic bar each."""
    rows = [("the call alone", "call/bare", FLOOR), ("floor: one add, one coarse reading", "call/floor", FLOOR),
            ("closed", "closed/default", OURS), ("closed, permit", "closed/permit", OURS),
            ("closed, rate of 100 calls", "closed/failure_rate_of_100_calls", OURS),
            ("closed, rate within 10 s", "closed/failure_rate_within_10s", OURS),
            ("closed, slow calls over 1 s", "closed/slow_calls_over_1s", OURS),
            ("closed, slow calls over 100 ms", "closed/slow_calls_over_100ms", OURS),
            ("closed, textbook breaker", "closed/textbook", RIVAL),
            ("failure by value", "failure/expected", OURS),
            ("open, fallback", "open/fallback", OURS), ("open, expected-like", "open/expected", OURS),
            ("open, throwing", "open/throw", OURS), ("open, textbook breaker", "open/throw_textbook", RIVAL),
            ("retry, first attempt succeeds", "retry/first_attempt_succeeds", OURS),
            ("retry, textbook", "retry/textbook", RIVAL)]
    left, width, step = 250, 430, 22
    svg = Svg(780, 70 + step * len(rows), "Cost of one call, by path (logarithmic)")
    low, high = math.log10(0.2), math.log10(5000)
    def place(value):
        return left + width * (math.log10(value) - low) / (high - low)

    for decade in (1, 10, 100, 1000):
        svg.line(place(decade), 40, place(decade), 46 + step * len(rows))
        svg.text(place(decade), 60 + step * len(rows), nanoseconds(decade), anchor="middle", color=FLOOR)
    for i, (label, name, color) in enumerate(rows):
        y = 44 + step * i
        svg.text(left - 8, y + 13, label, anchor="end")
        svg.bar(left, y + 3, place(median[name]) - left, step - 7, color)
        svg.text(place(median[name]) + 6, y + 13, nanoseconds(median[name]), color=FLOOR)
    svg.write(path)


def lines(title, x_title, y_title, series, path, log_y=True):
    """Growth: (name, color, [(x, y)]), both axes logarithmic unless log_y is off."""
    left, top, width, height = 80, 50, 480, 260
    svg = Svg(760, 370, title)
    xs = [x for _, _, points in series for x, _ in points]
    ys = [y for _, _, points in series for _, y in points]
    x_low, x_high = math.log10(min(xs)), math.log10(max(xs))
    if log_y:
        y_low, y_high = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))
        ticks = [10.0**i for i in range(y_low, y_high + 1)]
    else:
        y_low, y_high = 0, max(ys) * 1.1
        ticks = [y_high * i / 4 for i in range(5)]

    def place(x, y):
        v = math.log10(y) if log_y else y
        return (left + width * (math.log10(x) - x_low) / (x_high - x_low),
                top + height * (1 - (v - y_low) / (y_high - y_low)))

    for tick in ticks:
        _, y = place(min(xs), tick)
        svg.line(left, y, left + width, y)
        svg.text(left - 6, y + 4, y_title(tick), anchor="end", color=FLOOR)
    for x in sorted(set(xs)):
        px, _ = place(x, ticks[0])
        svg.text(px, top + height + 18, f"{x:,}", anchor="middle", color=FLOOR)
    svg.text(left + width / 2, top + height + 40, x_title, anchor="middle")
    for i, (name, color, points) in enumerate(series):
        svg.path([place(x, y) for x, y in points], color)
        svg.bar(left + width + 20, top + 6 + 22 * i, 12, 12, color)
        svg.text(left + width + 38, top + 16 + 22 * i, name)
    svg.write(path)


def jitter(times, path):
    """The four distributions of the third delay."""
    svg = Svg(760, 330, "Third delay of a retry: base 250 ms, multiplier 2, at most 1.9 s (20,000 draws each)")
    bins = 40
    for i, kind in enumerate(("none", "full", "equal", "decorrelated")):
        counters = next(entry["counters"] for name, entry in times.items() if name.startswith(f"jitter/{kind}/"))
        shares = [counters[f"bin_{bin:02}"] for bin in range(bins)]
        left, top, width, height = 40 + 370 * (i % 2), 66 + 130 * (i // 2), 320, 84
        scale = height / max(shares)
        svg.text(left, top - 8, f"Jitter::{kind}", weight="bold")
        svg.line(left, top + height, left + width, top + height, INK)
        for bin, share in enumerate(shares):
            if share > 0:
                svg.bar(left + bin * width / bins, top + height - share * scale, width / bins - 1, share * scale, OURS)
        for mark in (0, 0.5, 1, 1.5, 2):
            svg.text(left + width * mark / 2, top + height + 15, f"{mark:g} s", size=10, anchor="middle", color=FLOOR)
    svg.write(path)


def growth(median, pattern, sizes):
    return [(size, median[pattern.format(size)]) for size in sizes if pattern.format(size) in median]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = sys.argv[2] if len(sys.argv) > 2 else os.path.join(ROOT, "docs", "img")
    os.makedirs(folder, exist_ok=True)
    with open(sys.argv[1], encoding="utf-8") as file:
        times = json.load(file)["times"]
    median = {name: entry["median"] for name, entry in times.items()}
    decades = [10**i for i in range(7)]
    threads = [1, 2, 4, 8, 16]

    bars(median, os.path.join(folder, "paths.svg"))
    lines("Cost per call with several threads on one breaker (wall time, logarithmic)", "threads", nanoseconds,
          [("fusebox, closed", OURS, growth(median, "closed/default/real_time/threads:{}", threads)),
           ("… with a rate of 100 calls", "#8250df",
            growth(median, "closed/failure_rate_of_100_calls/real_time/threads:{}", threads)),
           ("… failing", "#bf8700", growth(median, "failure/expected/real_time/threads:{}", threads)),
           ("one add on one line", "#cf222e", growth(median, "call/floor/real_time/threads:{}", threads)),
           ("fusebox, open", "#1a7f37", growth(median, "open/fallback/real_time/threads:{}", threads)),
           ("textbook breaker", RIVAL, growth(median, "closed/textbook/real_time/threads:{}", threads)),
           ("registers only", FLOOR, growth(median, "call/registers/real_time/threads:{}", threads))],
          os.path.join(folder, "threads.svg"))
    lines("Cost per breaker with the number of breakers (logarithmic)", "breakers", nanoseconds,
          [("registry get", OURS, growth(median, "registry/get/{}/real_time", decades)),
           ("plain map, one thread", RIVAL, growth(median, "registry/plain_map/{}/real_time", decades)),
           ("stats, each", "#1a7f37", [(n, t / n) for n, t in growth(median, "reports/stats/{}", decades)]),
           ("copying stats, each", FLOOR, [(n, t / n) for n, t in growth(median, "reports/copy_map/{}", decades)])],
          os.path.join(folder, "breakers.svg"))
    lines("Cost per call with the size of the window", "calls in the window; seconds of the window", nanoseconds,
          [("last_calls(n)", OURS, growth(median, "window/last_calls/{}", decades[1:5])),
           ("within(n s)", "#1a7f37", growth(median, "window/within_seconds/{}", decades[0:5]))],
          os.path.join(folder, "windows.svg"), log_y=False)
    lines("Memory of an idle breaker in a registry", "breakers", lambda y: f"{y:.0f} B",
          [("bytes each", OURS,
            [(n, times[f"memory/registry/{n}/iterations:1"]["counters"]["bytes_per_breaker"]) for n in decades
             if f"memory/registry/{n}/iterations:1" in times])],
          os.path.join(folder, "memory.svg"), log_y=False)
    jitter(times, os.path.join(folder, "jitter.svg"))


if __name__ == "__main__":
    main()

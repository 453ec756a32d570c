"""Draws the sequence diagrams of the pages, which are written as forges draw them:

    sequenceDiagram
      participant A as call A
      A->>B: a call           (-->> an answer, --x and -x a failure)
      Note over A,B: both
"""

import html
import re

PARTICIPANT = re.compile(r"participant (\w+)(?: as (.+))?$")
MESSAGE = re.compile(r"(\w+)(->>|-->>|-x|--x)(\w+): (.+)$")
NOTE = re.compile(r"Note over (\w+)(?:, ?(\w+))?: (.+)$")
CHAR, LINE, MARGIN, GAP = 7.2, 17, 12, 26  # pixels
WIDEST = 22  # characters of a line in the box of a participant


class Unknown(ValueError):
    pass


def parse(text):
    """({name: label}, steps), both in order; a step is (kind, from, to, text)."""
    lines = [line.strip() for line in text.strip().splitlines()]
    if not lines or lines[0] != "sequenceDiagram":
        raise Unknown(f"only sequence diagrams can be drawn, this is one of: {lines[0] if lines else 'nothing'}")
    names, steps = {}, []
    for line in filter(None, lines[1:]):
        if match := PARTICIPANT.match(line):
            names[match.group(1)] = match.group(2) or match.group(1)
        elif match := MESSAGE.match(line):
            start, kind, end, words = match.groups()
            steps.append((kind, start, end, words))
        elif match := NOTE.match(line):
            first, last, words = match.groups()
            steps.append(("note", first, last or first, words))
        else:
            raise Unknown(f"unknown line of a sequence diagram: {line}")
    for _, start, end, _ in steps:
        for name in (start, end):
            names.setdefault(name, name)
    return names, steps


def wrapped(words, most):
    lines = [""]
    for word in words.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > most:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def width_of(lines):
    return max(map(len, lines)) * CHAR


def centers(boxes, order, steps):
    """Where the lines of the participants stand: as close as boxes, messages and notes allow."""
    at = [width_of(boxes[0]) / 2 + 2 * MARGIN]
    for index in range(1, len(order)):
        need = at[-1] + (width_of(boxes[index - 1]) + width_of(boxes[index])) / 2 + 3 * MARGIN
        for kind, start, end, words in steps:
            first, last = sorted((order.index(start), order.index(end)))
            if last == index and first != last:
                need = max(need, at[first] + len(words) * CHAR + (GAP if kind != "note" else 0))
            if kind == "note" and first == last and index in (first, first + 1):
                half = len(words) * CHAR / 2 + 1.5 * MARGIN
                need = max(need, at[-1] + half if first == index - 1 else need, half if first == index else 0)
        at.append(need)
    return at


def draw(text):
    """The diagram as SVG, to stand in a page whose style gives the colours."""
    names, steps = parse(text)
    order = list(names)
    boxes = [wrapped(label, WIDEST) for label in names.values()]
    at = centers(boxes, order, steps)
    first_note = max((len(words) * CHAR / 2 + MARGIN * 1.5 - at[0] for kind, start, end, words in steps
                      if kind == "note" and start == end == order[0]), default=0)
    at = [one + max(0, first_note) for one in at]
    tall = max(map(len, boxes)) * LINE + MARGIN
    right = max([at[-1] + width_of(boxes[-1]) / 2 + 2 * MARGIN] + [
        (at[order.index(start)] + at[order.index(end)]) / 2 + len(words) * CHAR / 2 + 2 * MARGIN
        for _, start, end, words in steps])
    y, parts = tall + 2 * MARGIN, []
    for kind, start, end, words in steps:
        a, b = at[order.index(start)], at[order.index(end)]
        if kind == "note":
            left, wide = min(a, b), abs(a - b) + MARGIN * 2
            wide = max(wide, len(words) * CHAR + MARGIN * 1.4)
            x = (a + b) / 2
            parts.append(f'<rect class="note" x="{x - wide / 2:.0f}" y="{y:.0f}" width="{wide:.0f}" height="24" rx="4"/>')
            parts.append(label(x, y + 16, words))
            y += 24 + MARGIN
            continue
        y += LINE
        style = ' class="answer"' if kind.startswith("--") else ""
        head = "cross" if kind.endswith("x") else "arrow"
        parts.append(label((a + b) / 2, y - 6, words))
        parts.append(f'<path{style} d="M{a:.0f} {y:.0f}H{b:.0f}"/>')
        parts.append(HEADS[head](b, y, 1 if b > a else -1))
        y += MARGIN
    y += MARGIN
    lifelines = [f'<path class="life" d="M{x:.0f} {tall + 2:.0f}V{y:.0f}"/>' for x in at]
    tops = []
    for x, lines in zip(at, boxes):
        wide = width_of(lines) + 2 * MARGIN
        tops.append(f'<rect class="who" x="{x - wide / 2:.0f}" y="2" width="{wide:.0f}" height="{tall:.0f}" rx="5"/>')
        begin = 2 + (tall - len(lines) * LINE) / 2 + 13
        tops += [label(x, begin + LINE * number, line) for number, line in enumerate(lines)]
    said = "; ".join(f"{names[start]}: {words}" if kind == "note" else f"{names[start]} to {names[end]}: {words}"
                     for kind, start, end, words in steps)
    body = "".join([*lifelines, *tops, *parts])
    return (f'<div class="diagram"><svg class="sequence" viewBox="0 0 {right:.0f} {y:.0f}" width="{right:.0f}" '
            f'height="{y:.0f}" role="img" aria-label="{html.escape(said)}">{body}</svg></div>')


def label(x, y, words):
    return f'<text x="{x:.0f}" y="{y:.0f}">{html.escape(words)}</text>'


HEADS = {
    "arrow": lambda x, y, way: f'<path class="head" d="M{x:.0f} {y:.0f}l{-9 * way} -4.5v9z"/>',
    "cross": lambda x, y, way: f'<path class="cross" d="M{x - 9 * way:.0f} {y - 5:.0f}l{8 * way} 10m0 -10l{-8 * way} 10"/>',
}

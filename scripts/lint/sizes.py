"""How long files may be."""

import statistics

from lint.tree import DOOR, ROOM


def check(tree):
    """no header, and no example, is longer than its kind may be; half of the headers are short"""
    return [*headers(tree), *median(tree), *examples(tree)]


def headers(tree):
    layout = tree.layout
    limits = {DOOR: ("a door", layout.MAX_DOOR), ROOM: ("a room", layout.MAX_ROOM)}
    for header in tree.headers:
        what, limit = limits.get(tree.kind(header), ("a header", layout.MAX_HEADER))
        count = tree.length(tree.path(header))
        if count > limit:
            yield f"{tree.path(header)}: {count} lines; {what} has at most {limit}"


def median(tree):
    if tree.headers:
        middle = statistics.median(tree.length(tree.path(header)) for header in tree.headers)
        if middle > tree.layout.MAX_MEDIAN:
            yield f"include: the median of the headers is {middle:g} lines; at most {tree.layout.MAX_MEDIAN}"


def examples(tree):
    for path in tree.files("examples", suffixes=(".cpp",)):
        count = tree.length(path)
        if count > tree.layout.MAX_EXAMPLE:
            yield f"{path}: {count} lines; an example has at most {tree.layout.MAX_EXAMPLE}"

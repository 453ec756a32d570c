"""Doors: what they say and give, and that users need nothing else."""

import re

from lint.tree import DOOR, ROOM, UMBRELLA, matches, stale


def check(tree):
    """a door names and gives its rooms, the umbrella gives the doors; pages and examples include doors only"""
    return [*first_lines(tree), *banners(tree), *rooms(tree), *umbrella(tree), *users(tree)]


def banner(tree, header):
    """The comment that a header begins with, as (number, line)."""
    for number, line in tree.lines(tree.path(header)):
        if not line.startswith("//"):
            break
        yield number, line


def first_lines(tree):
    for header in tree.headers:
        first = next((line for _, line in banner(tree, header)), "")
        if not first.startswith(f"// fusebox/{header}.hpp: "):
            yield f"{tree.path(header)}:1: begins with its name: `// fusebox/{header}.hpp: what it is.`"


def banners(tree):
    for door in tree.headers:
        if tree.kind(door) != DOOR:
            continue
        path = tree.path(door)
        named = {}
        for number, line in banner(tree, door):
            for name in re.findall(rf"(?<![\w/]){re.escape(door)}/([\w/]+)\.hpp", line):
                named.setdefault(f"{door}/{name}", number)
        existing = tree.rooms(door)
        for room in existing:
            if room not in named:
                yield f"{path}:1: its banner does not name its room {room}.hpp"
        for name, number in named.items():
            if name not in existing:
                yield f"{path}:{number}: its banner names {name}.hpp, which is no room of it"


def rooms(tree):
    """Users include doors only, so a door gives all its rooms."""
    for header in tree.headers:
        door = tree.door(header)
        if door not in tree.headers:
            yield f"{tree.path(header)}: its door {tree.path(door)} does not exist"
        elif tree.kind(header) == ROOM and header not in tree.reachable(door):
            yield f"{tree.path(door)}: does not include its room {header}.hpp"


def umbrella(tree):
    name = tree.layout.UMBRELLA
    if name not in tree.headers:
        return
    path = tree.path(name)
    lines = dict(tree.lines(path))
    included = {target: line for line, target in tree.graph[name]}
    for header in tree.headers:
        if tree.kind(header) != DOOR or matches(header, tree.layout.NOT_IN_UMBRELLA):
            if header in included:
                yield f"{path}:{included[header]}: includes {header}.hpp, which is no door for everybody"
        elif header not in included:
            yield f"{path}: does not include the door {header}.hpp"
        elif "IWYU pragma: export" not in lines[included[header]]:
            yield f"{path}:{included[header]}: without `// IWYU pragma: export`"


def users(tree):
    used = set()
    for path in [*tree.pages(), *tree.files("examples")]:
        for number, line in tree.lines(path):
            for name in re.findall(r'#\s*include\s*[<"]fusebox/([^>"]+)\.hpp[>"]', line):
                if tree.kind(name) in (DOOR, UMBRELLA):
                    if name not in tree.headers:
                        yield f"{path}:{number}: includes <fusebox/{name}.hpp>, which does not exist"
                    continue
                used.add(path)
                if path not in tree.layout.INCLUDES_ROOMS:
                    yield f"{path}:{number}: includes <fusebox/{name}.hpp>; users include doors: {tree.door(name)}.hpp"
    yield from stale("INCLUDES_ROOMS", tree.layout.INCLUDES_ROOMS, used)

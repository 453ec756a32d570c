"""Which standard and third-party headers may be included where."""

from lint.tree import DOOR, ROOM, SHARED


def check(tree):
    """nothing down to the registry reaches fmt or a heavy standard header; JSON libraries only in their adapter"""
    return [*fmt(tree), *json(tree), *heavy(tree)]


def outside(tree):
    """(header, line, name) of each include of another library."""
    for header in tree.headers:
        for line, name, _ in tree.includes(tree.path(header)):
            if not name.startswith("fusebox/"):
                yield header, line, name


def fmt(tree):
    allowed = tree.layout.MAY_INCLUDE_FMT
    for header, line, name in outside(tree):
        if not name.startswith("fmt/"):
            continue
        where = f"{tree.path(header)}:{line}: includes <{name}>"
        if name != "fmt/format.h":
            yield f"{where}; only <fmt/format.h> is used"
        door = tree.door(header)
        if tree.kind(header) != SHARED and door not in allowed and not door.startswith(tree.layout.DOOR_FOLDERS):
            yield f"{where}; fmt is for {', '.join(allowed)}"


def json(tree):
    for header, line, name in outside(tree):
        adapter = tree.layout.JSON_ADAPTER
        if "json" in name and header != adapter and not header.startswith(adapter + "/"):
            yield f"{tree.path(header)}:{line}: includes <{name}>; a JSON library belongs in {tree.layout.JSON_ADAPTER}"


def light(tree):
    """The doors and rooms that everybody pays for."""
    for header in tree.headers:
        at = tree.place(header)
        if at and at[0] <= tree.layout.LIGHT and tree.kind(header) in (DOOR, ROOM):
            yield header


def heavy(tree):
    found = {}
    for header in light(tree):
        for one in tree.reachable(header) & set(tree.headers):
            for line, name, _ in tree.includes(tree.path(one)):
                if name in tree.layout.HEAVY_STD or name.startswith("fmt/"):
                    found.setdefault((tree.path(one), line, name), header)
    for (path, line, name), header in sorted(found.items()):
        yield f"{path}:{line}: includes <{name}>; {header} reaches it, which must do without"

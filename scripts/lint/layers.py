"""Which header may include which."""

from lint.tree import MACHINERY, SHARED, UMBRELLA, stale


def check(tree):
    """a header includes only lower layers, its own rooms, and no machinery of another door; no cycles"""
    return [
        *unknown(tree),
        *targets(tree),
        *order(tree),
        *machinery(tree),
        *shared(tree),
        *cycles(tree),
        *strangers(tree),
    ]


def unknown(tree):
    for header in tree.headers:
        if tree.kind(header) != UMBRELLA and tree.place(header) is None:
            name = tree.door(header)
            yield f"{tree.path(header)}: not in the layout: give {name!r} a place in LAYERS of scripts/lint/layout.py"


def targets(tree):
    """What is included exists, is named in full, and is not the umbrella."""
    for header in tree.headers:
        path = tree.path(header)
        for line, name, quoted in tree.includes(path):
            if quoted:
                yield f'{path}:{line}: includes "{name}"; a header names another one in full: <fusebox/...>'
        for line, target in tree.graph[header]:
            if target not in tree.graph:
                yield f"{path}:{line}: includes <fusebox/{target}.hpp>, which does not exist"
            elif tree.kind(target) == UMBRELLA:
                yield f"{path}:{line}: includes the umbrella; a header includes only what it uses"


def order(tree):
    for header in tree.headers:
        at = tree.place(header)
        if at is None:
            continue
        for line, target in tree.graph[header]:
            to = tree.place(target)
            same_door = tree.door(header) == tree.door(target)
            if to is None or to < at or (same_door and to == at):
                continue
            where = f"{tree.path(header)}:{line}: includes <fusebox/{target}.hpp>"
            if to[0] > at[0]:
                yield f"{where}: upward, from layer {at[0]} to layer {to[0]}"
            else:
                yield f"{where}: sideways, both are in layer {at[0]} and LAYERS does not put it in an earlier step"


def machinery(tree):
    """x/detail/** is for x alone."""
    used = set()
    for header in tree.headers:
        for line, target in tree.graph[header]:
            if tree.kind(target) != MACHINERY or tree.door(target) == tree.door(header):
                continue
            used.add((header, target))
            if (header, target) not in tree.layout.FRIENDS:
                yield (
                    f"{tree.path(header)}:{line}: includes <fusebox/{target}.hpp>, machinery of"
                    f" {tree.door(target)} alone (FRIENDS in scripts/lint/layout.py lists exceptions)"
                )
    yield from stale("FRIENDS", tree.layout.FRIENDS, used)


def users(tree, machine):
    """The doors that use shared machinery, directly or through other shared machinery."""
    found, seen, left = set(), set(), [machine]
    while left:
        one = left.pop()
        if one in seen:
            continue
        seen.add(one)
        for header, included in tree.graph.items():
            if any(target == one for _, target in included):
                if tree.kind(header) == SHARED:
                    left.append(header)
                else:
                    found.add(tree.door(header))
    return found


def shared(tree):
    used = set()
    for header in tree.headers:
        if tree.kind(header) != SHARED:
            continue
        doors = users(tree, header)
        if len(doors) >= 2:
            continue
        used.add(header)
        if header not in tree.layout.USED_BY_ONE_DOOR:
            who = f"only {doors.pop()} uses it: move it to that door's detail/" if doors else "no door uses it"
            yield f"{tree.path(header)}: {who} (USED_BY_ONE_DOOR in scripts/lint/layout.py lists exceptions)"
    yield from stale("USED_BY_ONE_DOOR", tree.layout.USED_BY_ONE_DOOR, used)


def cycles(tree):
    path, done = [], set()

    def visit(header):
        if header in path:
            loop = [*path[path.index(header) :], header]
            yield f"{tree.path(header)}: a cycle of includes: {' -> '.join(loop)}"
        elif header not in done:
            path.append(header)
            for _, target in tree.graph.get(header, []):
                yield from visit(target)
            done.add(path.pop())

    for header in tree.headers:
        yield from visit(header)


def strangers(tree):
    """Policies stay apart, also if an exception lets one in by a back door."""
    for one in tree.layout.NEVER_TOGETHER:
        reached = {tree.door(header) for header in tree.reachable(one)}
        for other in tree.layout.NEVER_TOGETHER:
            if other != one and other in reached:
                yield f"{tree.path(one)}: reaches {other}; the two never include each other"

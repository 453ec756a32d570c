"""What is public stays out of detail, and detail out of what is public."""

import re

from lint import cpp
from lint.tree import MACHINERY, SHARED, stale


NAMED_ENUM = "detail/named_enum"


def check(tree):
    """nothing public is declared under detail/, no public signature spells detail::, fwd.hpp only declares, NamedEnum
    lists every enum that has a to_string()"""
    return [*hidden(tree), *signatures(tree), *forward(tree), *enums(tree)]


def is_defined_outside(one):
    """Is it the definition of a member outside of its class?"""
    return "::" in one.name.partition("operator")[0]


def hidden(tree):
    """A header under a detail/ declares in namespace detail only; forward declarations may be of anything."""
    for header in tree.headers:
        if tree.kind(header) not in (SHARED, MACHINERY):
            continue
        for one in cpp.declarations(tree.text(tree.path(header))):
            inside = one.classes or "detail" in one.namespaces
            known = one.kind == "forward" or "<" in one.name
            if not inside and not known and not is_defined_outside(one):
                yield (
                    f"{tree.path(header)}:{one.line}: {one.name} is public, as it is not in namespace detail:"
                    " declare it in a door or a room"
                )


def signatures(tree):
    used = set()
    for header in tree.headers:
        if tree.kind(header) in (SHARED, MACHINERY):
            continue
        for one in cpp.declarations(tree.text(tree.path(header))):
            if not one.public or one.kind not in ("function", "variable", "alias") or is_defined_outside(one):
                continue
            if not cpp.spells(one.signature, "detail"):
                continue
            member = "::".join((*one.classes, one.name))
            used.add(f"{header}: {member}")
            if f"{header}: {member}" not in tree.layout.DETAIL_IN_SIGNATURE:
                yield (
                    f"{tree.path(header)}:{one.line}: the public signature of {member} spells detail::"
                    " (DETAIL_IN_SIGNATURE in scripts/lint/layout.py lists exceptions)"
                )
    yield from stale("DETAIL_IN_SIGNATURE", tree.layout.DETAIL_IN_SIGNATURE, used)


def forward(tree):
    """fwd.hpp declares types that doors and rooms define."""
    if "fwd" not in tree.headers:
        return
    defined = {}
    for header in tree.headers:
        for one in cpp.declarations(tree.text(tree.path(header))):
            if one.kind == "type" and not one.classes and "detail" not in one.namespaces:
                defined[one.name] = header
    path = tree.path("fwd")
    for one in cpp.declarations(tree.text(path)):
        if one.kind != "forward":
            yield f"{path}:{one.line}: {one.name} is not only declared; fwd.hpp holds forward declarations"
        elif "detail" not in one.namespaces and one.name not in defined:
            yield f"{path}:{one.line}: declares {one.name}, which no header defines"


def enums(tree):
    """The list is by hand, since a concept cannot ask for a function that is declared later."""
    if NAMED_ENUM not in tree.headers:
        return
    path = tree.path(NAMED_ENUM)
    listed = set(re.findall(r"\w+", "".join(re.findall(r"OneOf<E,([^>]*)>", tree.text(path)))))
    for header in tree.headers:
        if tree.kind(header) in (SHARED, MACHINERY) or header.startswith("adapters/"):
            continue
        for name in re.findall(r"string_view to_string\((\w+) ", tree.text(tree.path(header))):
            if name not in listed:
                yield f"{path}: NamedEnum lacks {name}, which has a to_string() in {header}.hpp"

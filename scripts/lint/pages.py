"""Every public name is explained on a page for users."""

import re

from lint import cpp, links
from lint.tree import DOOR, ROOM, stale

WORD = re.compile(r"[A-Za-z_]\w*")
FENCE = re.compile(r"^( *)(```+|~~~+)[^\n]*\n(.*?)^ *\2[ \t]*$", re.M | re.S)
SPAN = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.S)
COMMENT = re.compile(r"<!--.*?-->", re.S)
HEADING = re.compile(r"^#{1,6} ", re.M)
ENUM = re.compile(r"\benum\s+(?:class|struct)\s+(?:FUSEBOX_\w+\s+)?(\w+)[^{};]*\{([^}]*)\}")


def check(tree):
    """each public type, function, field and enumerator is on a page for users: in code, in a section with its class"""
    pages = [page for page in tree.pages() if is_for_users(tree, page)]
    known = [words(section) for page in pages for section in sections(tree.text(page))]
    missing, used = {}, set()
    for header in tree.headers:
        if tree.kind(header) not in (DOOR, ROOM):
            continue
        for line, classes, name in names(tree.text(tree.path(header))):
            full = "::".join((*classes, name))
            if not any(name in one and (not classes or classes[-1] in one) for one in known):
                used.add(full)
                if full not in tree.layout.ON_NO_PAGE:
                    where = f" in one section with {classes[-1]}" if classes else ""
                    missing.setdefault(full, f"{tree.path(header)}:{line}: {full} is on no page for users{where}")
    return [*missing.values(), *stale("ON_NO_PAGE", tree.layout.ON_NO_PAGE, used)]


def is_for_users(tree, page):
    return page.startswith("docs/") and page not in tree.layout.NOT_FOR_USERS and page.count("/") == 1


def sections(text):
    """The parts of a page, each from one heading to the next, without comments: stand-ins explain nothing."""
    text = COMMENT.sub("", text)
    starts = [0, *(match.start() for match in HEADING.finditer(links.prose(text))), len(text)]
    return [text[begin:end] for begin, end in zip(starts, starts[1:])]


def words(text):
    """The words that stand in code: in blocks, and in spans of prose."""
    code = [match.group(3) for match in FENCE.finditer(text)]
    code += [match.group(2) for match in SPAN.finditer(links.prose(text))]
    return {word for part in code for word in WORD.findall(part)}


def names(text):
    """(line, classes, name) of what a header declares for users. Operators, constructors and destructors have none."""
    types = set()
    for one in cpp.declarations(text):
        if not one.public or one.kind == "forward" or one.namespaces[:1] != ("fusebox",):
            continue  # a formatter, for one, is in the namespace of fmt
        name = one.name.removesuffix("<>")
        classes = tuple(outer.removesuffix("<>") for outer in one.classes)
        if one.kind == "type":
            types.add(name)
        if re.search(r"\b(\w+)::\1$", one.signature):
            continue  # a base's constructors
        if WORD.fullmatch(name) and name != "operator" and (not classes or name != classes[-1]):
            yield one.line, classes, name
    code = cpp.without_directives(cpp.without_comments_and_strings(text))
    for match in ENUM.finditer(code):
        for part in match.group(2).split(",") if match.group(1) in types else ():
            if word := WORD.search(part):
                yield code.count("\n", 0, match.start(2)) + 1, (match.group(1),), word.group()

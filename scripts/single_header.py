#!/usr/bin/env python3
"""Writes the library as a single header, which needs only fmt.

scripts/single_header.py [--forward DIR] [OUT]      (default: build/single/fusebox.hpp)

The header holds every header of the library, each after those that it includes. Those that <fusebox/fusebox.hpp>
includes are always there. Each other door, such as coro.hpp or an adapter, is there if its macro is defined before
the #include: FUSEBOX_WITH_CORO; a second #include with another macro adds what is missing.

--forward writes a folder of headers with the usual names, each of which includes OUT. With DIR as the first
include directory, a program that includes <fusebox/retry.hpp> is compiled with the single header.
"""

import argparse
import os
import re
import sys

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "scripts"))

from lint import cpp  # noqa: E402
from lint.tree import DOOR, Tree  # noqa: E402

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
OWN = re.compile(r"^fusebox/(.+)\.hpp$")
PRAGMA = re.compile(r"\s*// IWYU pragma: .*$")
MIXED = "the headers of fusebox and its single header do not fit into one source file"


class Failed(Exception):
    pass


def in_order(tree, tops):
    """The headers that tops include, and tops, each after what it includes."""
    found = []

    def visit(header, below):
        if header in below:
            raise Failed(f"{header}.hpp includes itself: {' '.join(below)}")
        if header in found:
            return
        if header not in tree.graph:
            raise Failed(f"{below[-1]}.hpp includes <fusebox/{header}.hpp>, which does not exist")
        for _, target in tree.graph[header]:
            visit(target, (*below, header))
        found.append(header)

    for top in tops:
        visit(top, ())
    return found


def macro(door):
    """What asks for a door that fusebox.hpp does not include."""
    return "FUSEBOX_WITH_" + door.rpartition("/")[2].upper()


def guard(header):
    return "FUSEBOX_SINGLE_" + re.sub(r"\W", "_", header).upper()


class Parts:
    """Which header of the library stands where."""

    def __init__(self, tree):
        self.core = [one for one in in_order(tree, [tree.layout.UMBRELLA]) if one != tree.layout.UMBRELLA]
        self.doors = [one for one in tree.headers if tree.kind(one) == DOOR and one not in self.core]
        macros = [macro(door) for door in self.doors]
        for one in macros:
            if macros.count(one) > 1:
                raise Failed(f"two doors share the macro {one}")
        # header -> the doors that need it
        self.needed = {
            header: [door for door in self.doors if header in tree.reachable(door)]
            for header in in_order(tree, self.doors)
            if header not in self.core and header != tree.layout.UMBRELLA
        }
        missing = set(tree.headers) - {*self.core, *self.needed, tree.layout.UMBRELLA}
        if missing:
            raise Failed(f"no door includes {min(missing)}.hpp")


def body(tree, header, seen):
    """The text of a header without what the single header replaces. Adds to seen what it includes of others."""
    lines, depth, once = [], 0, False
    for number, line in tree.lines(tree.path(header)):
        if re.match(r"\s*#\s*if", line):
            depth += 1
        elif re.match(r"\s*#\s*endif", line):
            depth -= 1
        include = INCLUDE.match(line)
        if re.match(r"\s*#\s*pragma\s+once\b", line):
            once = True
            continue
        if re.match(r"\s*// IWYU pragma: ", line):
            continue
        if include and OWN.match(include.group(1)):
            if depth:
                raise Failed(f"{tree.path(header)}:{number}: includes a header of the library inside an #if")
            continue
        if include:
            if include.group(1) in seen:
                continue
            if not depth:
                seen.add(include.group(1))
            line = PRAGMA.sub("", line)
        lines.append(line)
    if not once:
        raise Failed(f"{tree.path(header)}: has no #pragma once")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def comment(text):
    return "".join(f"// {line}".rstrip() + "\n" for line in text.strip().splitlines())


def version(tree):
    return re.search(r'VERSION_STRING "([^"]+)"', tree.text(tree.path("version"))).group(1)


def single(tree, parts):
    wanted = "\n".join(f"    {macro(door):28} <fusebox/{door}.hpp>" for door in parts.doors)
    head = f"""fusebox {version(tree)}: the whole library as one header, made by scripts/single_header.py.
SPDX-License-Identifier: MIT

It needs C++20 and fmt 9 or newer. It gives what <fusebox/fusebox.hpp> gives; define one of these macros
before the #include to get another door too:

{wanted}

{tree.text("LICENSE").strip()}"""
    seen = set()
    out = [
        comment(head),
        f"\n#if defined(FUSEBOX_VERSION) && !defined(FUSEBOX_SINGLE_HEADER)\n#error \"{MIXED}\"\n#endif\n",
        "\n#ifndef FUSEBOX_SINGLE_HEADER\n#define FUSEBOX_SINGLE_HEADER 1\n",
    ]
    out += ["\n" + body(tree, header, seen) for header in parts.core]
    out.append("\n#endif  // FUSEBOX_SINGLE_HEADER\n")
    for header, doors in parts.needed.items():
        asked = " || ".join(f"defined({macro(door)})" for door in doors)
        asked = f"({asked})" if len(doors) > 1 else asked
        out.append(f"\n#if {asked} && !defined({guard(header)})\n#define {guard(header)}\n\n")
        out.append(body(tree, header, set(seen)))
        out.append("\n#endif\n")
    text = "".join(out)
    for _, directive in cpp.directives(text):
        if re.match(r'include\s*[<"]fusebox/', directive):
            raise Failed(f"left in the single header: #{directive}")
    return text


def forwards(tree, parts, target):
    """(path, text) of each header that includes the single one at target."""
    include = f'#include "{target}"  // IWYU pragma: export\n'
    for header in tree.headers:
        text = "#pragma once\n"
        if header in parts.needed:
            door = tree.door(header)
            name = macro(door if door in parts.needed[header] else parts.needed[header][0])
            text += f"#ifndef {name}\n#define {name}\n#endif\n"
        yield os.path.join("fusebox", f"{header}.hpp"), text + include


def write(path, text):
    """Leaves a file that has this text alone, so that nothing is compiled again."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            if file.read() == text:
                return
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--forward", metavar="DIR")
    parser.add_argument("--root", default=ROOT, help=argparse.SUPPRESS)
    parser.add_argument("out", nargs="?", metavar="OUT")
    options = parser.parse_args(arguments)
    out = options.out or os.path.join(options.root, "build", "single", "fusebox.hpp")
    tree = Tree(options.root)
    try:
        parts = Parts(tree)
        write(out, single(tree, parts))
        if options.forward:
            for path, text in forwards(tree, parts, os.path.abspath(out)):
                write(os.path.join(options.forward, path), text)
    except Failed as error:
        print(f"single_header.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

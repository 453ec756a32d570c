#!/usr/bin/env python3
"""Writes debuggers/fusebox_gdb.py into include/fusebox/gdb/detail/script.hpp, which <fusebox/gdb.hpp> includes.

scripts/gdb_header.py            writes it
scripts/gdb_header.py --check    says whether it is up to date (tests/debuggers does)
"""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SCRIPT, HEADER = "debuggers/fusebox_gdb.py", "include/fusebox/gdb/detail/script.hpp"

HEAD = r"""// fusebox/gdb/detail/script.hpp: debuggers/fusebox_gdb.py in the section .debug_gdb_scripts.
//
// Written by scripts/gdb_header.py. The section is not loaded with the program, and the linker keeps one copy
// of what several source files have. GDB's manual describes it: "The .debug_gdb_scripts section".
#pragma once
// IWYU pragma: private, include <fusebox/gdb.hpp>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

#if defined(__ELF__) && (defined(__GNUC__) || defined(__clang__))
// clang-format off
__asm__(R"asm(
.pushsection ".debug_gdb_scripts", "MS", %progbits, 1
.byte 4
.ascii "gdb.inlined-script.fusebox\n"
"""
TAIL = """.byte 0
.popsection
)asm");
// clang-format on
#endif

}  // namespace detail

FUSEBOX_END_NAMESPACE
"""


def lines(script):
    """The lines that do something: no comments, docstrings and blank lines."""
    script = re.sub(r'^\s*"""(?:[^"]|"(?!""))*"""\n', "", script, flags=re.M)
    return [line for line in script.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def header(script):
    quoted = (line.replace("\\", "\\\\").replace('"', '\\"') for line in lines(script))
    return HEAD + "".join(f'.ascii "{line}\\n"\n' for line in quoted) + TAIL


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def main(arguments):
    text = header(read(SCRIPT))
    if arguments == ["--check"]:
        if read(HEADER) != text:
            print(f"{HEADER} is not what {SCRIPT} says: scripts/gdb_header.py", file=sys.stderr)
            return 1
        return 0
    if arguments:
        print(__doc__, file=sys.stderr)
        return 2
    with open(os.path.join(ROOT, HEADER), "w", encoding="utf-8") as file:
        file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
"""Checks that a compiler below C++20 says first, and once, what is missing: the header's #error (L2).

before_cxx20.py INCLUDE COMPILER [OPTION...]

INCLUDE is the folder of fusebox/. Each header of fusebox/ and of fusebox/test/ is compiled as C++17, alone.
"""

import os
import re
import subprocess
import sys

EXPECTED = "fusebox needs C++20"
ERROR = re.compile(r"[^\s:][^:]*(?::\d+)*: (?:fatal error|error): (.*)")


def headers(include):
    for folder in ("fusebox", os.path.join("fusebox", "test")):
        for name in sorted(os.listdir(os.path.join(include, folder))):
            if name.endswith(".hpp"):
                yield os.path.join(folder, name)


def errors_of(include, header, compiler, *options):
    """The errors that the header gives as C++17."""
    result = subprocess.run(
        [*compiler, "-std=c++17", *options, f"-I{include}", "-x", "c++", "-"],
        input=f"#include <{header}>\n",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "LC_ALL": "C"},
        check=False,
    )
    return [match.group(1) for line in result.stdout.splitlines() if (match := ERROR.match(line))]


def wrong(include, header, compiler):
    """What is wrong with the errors of a header, or None."""
    first = errors_of(include, header, compiler, "-fsyntax-only", "-Wfatal-errors")
    if not first:
        return "compiles as C++17"
    if EXPECTED not in first[0]:
        return f"the first error is {first[0]!r}"
    # It comes from the preprocessor, which alone is much faster than what would follow.
    count = sum(EXPECTED in error for error in errors_of(include, header, compiler, "-E"))
    return f"says it {count} times" if count != 1 else None


def main(include, *compiler):
    problems, count = [], 0
    for header in headers(include):
        count += 1
        if problem := wrong(include, header, compiler):
            problems.append(f"{header}: {problem}")
    print("\n".join(problems) or f"{count} headers ask for C++20 first, and once")
    return 1 if problems or not count else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

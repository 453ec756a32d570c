"""The single header: made twice the same, compiled alone, with requested doors, and refused beside the others.

check_single_header.py WORK_DIR VERSION COMPILER [OPTION...]       (the options say where fmt is)
"""

import os
import re
import sys

from support import HERE, ROOT, expect, fail, fresh, read, run

SOURCES = os.path.join(HERE, "single_header")


def make(*arguments, seed="0"):
    run(sys.executable, os.path.join(ROOT, "scripts", "single_header.py"), *arguments,
        env={**os.environ, "PYTHONHASHSEED": seed})


def main(work, version, *compiler):
    fresh(work)
    header, again = os.path.join(work, "fusebox.hpp"), os.path.join(work, "again.hpp")
    make("--forward", os.path.join(work, "forward"), header)
    make(again, seed="1")
    text = read(header)
    expect("the single header, made again", read(again), text)
    head = text[: text.index("#if")]
    for wanted in (f"// fusebox {version}: ", "SPDX-License-Identifier: MIT", "Permission is hereby granted"):
        if wanted not in head:
            fail(f"the single header does not begin with {wanted!r}")
    if left := re.search(r"^\s*#\s*include\s*[<\"]fusebox.*", text, re.M):
        fail(f"the single header asks for another: {left.group()}")

    compiler = [*compiler, "-std=c++20", f"-I{work}"]
    read_by_it = run(*compiler, "-M", "-x", "c++", header)
    if odd := re.search(r"\S*(boost|asio|httplib|nlohmann|curl|grpc|hiredis|libpq)\S*", read_by_it.replace(work, "")):
        fail(f"without a request the single header reads {odd.group()}")

    mixed = os.path.join(work, "mixed.cpp")
    with open(mixed, "w", encoding="utf-8") as file:
        file.write('#include <fusebox/version.hpp>\n#include "fusebox.hpp"\n')
    message = run(*compiler, f"-I{ROOT}/include", "-E", mixed, wanted=False)
    if "do not fit into one source file" not in message:
        fail(f"both kinds of headers in one source file: {message[-2000:]}")

    forwarded = os.path.join(work, "forwarded.cpp")
    with open(forwarded, "w", encoding="utf-8") as file:
        file.write(
            "#include <fusebox/retry/config.hpp>\n#include <fusebox/coro/clock.hpp>\n"
            "#if !defined(FUSEBOX_SINGLE_HEADER) || !defined(FUSEBOX_SINGLE_CORO)\n#error not the single header\n#endif\n"
        )
    run(*compiler, f"-I{work}/forward", f"-I{ROOT}/include", "-E", "-o", os.devnull, forwarded)

    program = os.path.join(work, "program")
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
    sources = [os.path.join(SOURCES, name) for name in ("main.cpp", "doors.cpp")]
    run(*compiler, *warnings, "-O0", "-DFMT_HEADER_ONLY", *sources, "-o", program, "-pthread", "-ldl")
    expect("the program", run(program), f"fusebox {version}: price 42, 1 success, open then half-open\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

#!/usr/bin/env python3
"""Checks the C++ code in Markdown pages.

check_docs.py readme README.md examples/readme.cpp
    The first ```cpp block of the page is that file, to the letter.

check_docs.py page PAGE.md --compiler g++ --include DIR... --define NAME=VALUE...
    Every ```cpp block compiles:
    - a block whose first line is `// name.hpp` is a header, which later programs include as "name.hpp";
    - a block with `int main` or an `#include` is a program: a translation unit as it stands;
    - a block in which a line starts with `template` or `namespace` is a set of declarations;
    - any other block is a piece of code: the body of a function.
    Declarations and pieces go on from the page's program, if it has exactly one. Otherwise they see
    <fusebox/fusebox.hpp> and <fusebox/test/fake_clock.hpp>, with `using namespace fusebox` and std::chrono_literals.
    Both see the page's preamble: what stands in its HTML comments <!-- preamble ... -->.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile

PROLOGUE = """#include <fusebox/fusebox.hpp>
#include <fusebox/test/fake_clock.hpp>
using namespace fusebox;
using namespace std::chrono_literals;
"""


def blocks_of(text):
    """(line of the first line of code, code) of each ```cpp block."""
    found = []
    for match in re.finditer(r"^( *)```cpp[^\n]*\n(.*?)^\1```", text, re.M | re.S):
        indent, code = match.group(1), match.group(2)
        if indent:
            code = re.sub(rf"^{indent}", "", code, flags=re.M)
        found.append((text.count("\n", 0, match.start(2)) + 1, code))
    return found


def preamble_of(text, page):
    parts = []
    for match in re.finditer(r"<!--\s*preamble\b[^\n]*\n(.*?)-->", text, re.S):
        line = text.count("\n", 0, match.start(1)) + 1
        parts.append(f'#line {line} "{page}"\n{match.group(1)}')
    return "\n".join(parts)


def units_of(text, page):
    """(what it is, source, its name if it is a header) of each unit that the page's code makes."""
    programs, declarations, pieces = [], [], []
    for line, code in blocks_of(text):
        located = f'#line {line} "{page}"\n{code}'
        header = re.match(r"// (\w+\.hpp)\n", code)
        if header:
            yield f"the header at line {line}", located, header.group(1)
        elif re.search(r"\bint main\b|^\s*#\s*include\b", code, re.M):
            programs.append((f"the program at line {line}", located, None))
        elif re.search(r"^(template|namespace)\b", code, re.M):
            declarations.append((f"the declarations at line {line}", located))
        else:
            pieces.append(f"[[maybe_unused]] static auto block_at_line_{line}() {{\n{located}\n}}")
    if pieces:
        declarations.append(("the pieces of code", "\n".join(pieces)))
    start = programs.pop()[1] if len(programs) == 1 and declarations else PROLOGUE
    yield from programs
    for what, source in declarations:
        yield what, f"{start}\n{preamble_of(text, page)}\n{source}", None


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def check_readme(page, example):
    with open(page, encoding="utf-8") as file:
        blocks = blocks_of(file.read())
    with open(example, encoding="utf-8") as file:
        expected = file.read()
    if not blocks:
        return f"{page} has no ```cpp block"
    if blocks[0][1].strip() != expected.strip():
        return f"{page}:{blocks[0][0]}: the first ```cpp block is not {example}"
    print(f"the first block of {os.path.basename(page)} is {os.path.basename(example)}")
    return None


def check_page(page, compiler, includes, definitions):
    with open(page, encoding="utf-8") as file:
        text = file.read()
    if text.count("```cpp") != len(blocks_of(text)):
        return f"{page}: a ```cpp block does not end"
    command = [compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror"]
    command += ["-Wno-" + name for name in ("unused", "unused-variable", "unused-parameter", "unused-result")]
    for directory in filter(None, includes):
        command += ["-I", directory]
    command += ["-D" + definition for definition in filter(None, definitions)]
    failed = None
    with tempfile.TemporaryDirectory() as work:
        for what, source, header in units_of(text, page):
            path = os.path.join(work, "unit.cpp")
            if header:
                write(os.path.join(work, header), source)
                source = f'#include "{header}"\n'
            write(path, source)
            if subprocess.run(command + [path], check=False).returncode == 0:
                print(f"{what}: compiled")
            else:
                print(f"{what}: does not compile")
                failed = f"{page}: code that does not compile"
    return failed


def main():
    parser = argparse.ArgumentParser()
    modes = parser.add_subparsers(dest="mode", required=True)
    readme = modes.add_parser("readme")
    readme.add_argument("page")
    readme.add_argument("example")
    page = modes.add_parser("page")
    page.add_argument("page")
    page.add_argument("--compiler", default="g++")
    page.add_argument("--include", nargs="*", default=[])
    page.add_argument("--define", nargs="*", default=[])
    args = parser.parse_args()
    if args.mode == "readme":
        return check_readme(args.page, args.example)
    return check_page(args.page, args.compiler, args.include, args.define)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Checks the C++ code in Markdown pages.

check_docs.py readme README.md examples/readme.cpp
    The first ```cpp block of the page is that file, to the letter.

check_docs.py page PAGE.md --compiler g++ --include DIR...
    Every ```cpp block compiles:
    - a block whose first line is `// name.hpp` is a header, which later programs include as "name.hpp";
    - a block with `int main` or an `#include` is a program: a translation unit as it stands, if the header that its
      fence names (```cpp needs libpq-fe.h) is there;
    - a block in which a line starts with `template` or `namespace` is a set of declarations;
    - any other block is a piece of code: the body of a function.
    Declarations and pieces see <fusebox/fusebox.hpp> and <fusebox/test/fake_clock.hpp>, with
    `using namespace fusebox` and std::chrono_literals, and the page's preamble:
    what stands in its HTML comments <!-- preamble ... -->.
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
    """(line of the first line of code, code, the header that it needs or "") of each ```cpp block."""
    found = []
    for match in re.finditer(r"^( *)```cpp(?: needs ([^\n]+))?[^\n]*\n(.*?)^\1```", text, re.M | re.S):
        indent, needs, code = match.group(1), match.group(2) or "", match.group(3)
        if indent:
            code = re.sub(rf"^{indent}", "", code, flags=re.M)
        found.append((text.count("\n", 0, match.start(3)) + 1, code, needs))
    return found


def preamble_of(text, page):
    parts = []
    for match in re.finditer(r"<!--\s*preamble\b[^\n]*\n(.*?)-->", text, re.S):
        line = text.count("\n", 0, match.start(1)) + 1
        parts.append(f'#line {line} "{page}"\n{match.group(1)}')
    return "\n".join(parts)


def units_of(text, page):
    """(what it is, source, its name if it is a header) of each unit that the page's code makes."""
    preamble = PROLOGUE + preamble_of(text, page)
    pieces = []
    for line, code, needs in blocks_of(text):
        located = f'#line {line} "{page}"\n{code}'
        if needs:
            located = f"#if __has_include(<{needs}>)\n{located}\n#endif\n"
        header = re.match(r"// (\w+\.hpp)\n", code)
        if header:
            yield f"the header at line {line}", located, header.group(1)
        elif re.search(r"\bint main\b|^\s*#\s*include\b", code, re.M):
            yield f"the program at line {line}", located, None
        elif re.search(r"^(template|namespace)\b", code, re.M):
            yield f"the declarations at line {line}", f"{preamble}\n{located}", None
        else:
            pieces.append(f"[[maybe_unused]] static auto block_at_line_{line}() {{\n{located}\n}}")
    if pieces:
        yield "the pieces of code", preamble + "\n" + "\n".join(pieces), None


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


def check_page(page, compiler, includes):
    with open(page, encoding="utf-8") as file:
        text = file.read()
    if text.count("```cpp") != len(blocks_of(text)):
        return f"{page}: a ```cpp block does not end"
    command = [compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror"]
    command += ["-Wno-" + name for name in ("unused", "unused-variable", "unused-parameter", "unused-result")]
    for directory in filter(None, includes):
        command += ["-I", directory]
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
    args = parser.parse_args()
    if args.mode == "readme":
        return check_readme(args.page, args.example)
    return check_page(args.page, args.compiler, args.include)


if __name__ == "__main__":
    sys.exit(main())

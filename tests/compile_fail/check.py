#!/usr/bin/env python3
"""Checks that wrong uses do not compile and say why, and that the right use beside each compiles.

check.py SOURCE COMPILER [OPTION...]

SOURCE is C++ with a block like this for each wrong use:

    // What is wrong, in a sentence.
    // expect: REGEX
    void f() {
    #ifdef FUSEBOX_COMPILE_FAIL
      the wrong use
    #else
      the right use
    #endif
    }

A line `// flags: OPTIONS` gives the compiler more options. All right uses are compiled together; so are all
wrong uses. An error belongs to the wrong use whose lines it names: as its place, as a place that required it,
or in a text (clang calls a lambda by its place). Each wrong use needs an error of its own, whose text or note
matches REGEX. A wrong use without one is compiled again by itself: some errors do not say where they come
from, and some hide others, such as the second of two that need the same instantiation.
"""

import os
import re
import subprocess
import sys

USE = re.compile(
    r"(?P<sentence>(?:^// (?!expect: ).*\n)+)"
    r"^// expect: (?P<expect>.+)\n"
    r"(?:^(?!// expect: |#).*\n)*"
    r"^#ifdef FUSEBOX_COMPILE_FAIL\n(?P<wrong>(?:^(?!#).*\n)+)"
    r"^#else\n(?:^(?!#).*\n)+"
    r"^#endif\n",
    re.M,
)
# Compilers also quote source lines. A message begins with a place, or with the name of a program.
MESSAGE = re.compile(r"[^\s:][^:]*(?::\d+)*: (fatal error|error|warning|note): (.*)")
# g++ begins an error with the places that required it; clang has notes for them.
REQUIRED = re.compile(r"[^\s:][^:]*(?::\d+)+:  +(?:recursively )?required ")


class Use:
    def __init__(self, text, match):
        self.sentence = " ".join(re.findall(r"// (.*)", match["sentence"]))
        self.expect = match["expect"]
        self.first, self.last = (text.count("\n", 0, at) for at in match.span("wrong"))

    def explained_by(self, texts):
        return any(re.search(self.expect, text) for text in texts)


def uses_in(path, text):
    """All wrong uses; raises ValueError for a part of one outside a whole block."""
    blocks = list(USE.finditer(text))
    for part in re.finditer(r"^// expect:|^#.*FUSEBOX_COMPILE_FAIL", text, re.M):
        if not any(block.start() <= part.start() < block.end() for block in blocks):
            line = text.count("\n", 0, part.start()) + 1
            raise ValueError(f"{path}:{line}: part of no whole wrong use: {part[0]}")
    if not blocks:
        raise ValueError(f"{path}: no wrong use")
    return [Use(text, block) for block in blocks]


def run(command, **options):
    return subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "LC_ALL": "C"},
        check=False,
        **options,
    )


def errors_in(output):
    """For each error: the lines that may name its origin, and the texts of it and its notes."""
    found, required = [], []
    for line in output.splitlines():
        if REQUIRED.match(line):
            required.append(line)
        elif message := MESSAGE.match(line):
            kind, text = message.groups()
            if kind != "note":
                found.append((kind, [], []))
            if found:
                found[-1][1].extend([line, *required])
                found[-1][2].append(text)
            required = []
    return [(lines, texts) for kind, lines, texts in found if kind != "warning"]


class Source:
    def __init__(self, path, compiler):
        self.path = path
        with open(path, encoding="utf-8") as file:
            self.text = file.read()
        self.uses = uses_in(path, self.text)
        flags = re.findall(r"^// flags: (.*)", self.text, re.M)
        self.command = [*compiler, *" ".join(flags).split(), "-fsyntax-only"]
        self.command.append("-ftemplate-backtrace-limit=0")
        if "clang" in run([compiler[0], "--version"]).stdout:
            self.command.append("-ferror-limit=0")  # g++ has no limit

    def compile(self, *wrong):
        """Compiles these wrong uses, and the right ones of all others."""
        lines = self.text.split("\n")
        for use in self.uses:
            lines[use.first - 1] = "#if 1" if use in wrong else "#if 0"
        unit = "\n".join([f'#line 1 "{self.path}"', *lines])
        return run([*self.command, "-x", "c++", "-"], input=unit)

    def use_named_in(self, lines):
        for line in lines:
            for number in re.findall(re.escape(self.path) + r":(\d+)", line):
                for use in self.uses:
                    if use.first < int(number) <= use.last:
                        return use
        return None

    def check(self):
        """The problems found, and how many wrong uses were compiled by themselves."""
        right = self.compile()
        if right.returncode != 0:
            return [f"{self.path}: the right uses do not compile\n{right.stdout}"], 0

        texts_of = {use: [] for use in self.uses}
        for lines, texts in errors_in(self.compile(*self.uses).stdout):
            texts_of.get(self.use_named_in(lines), []).extend(texts)

        unexplained = [use for use in self.uses if not use.explained_by(texts_of[use])]
        problems = []
        for use in unexplained:
            where = f"{self.path}:{use.first + 1}"
            alone = self.compile(use)
            if alone.returncode == 0:
                problems.append(f"{where}: the wrong use compiles: {use.sentence}")
            elif not use.explained_by(text for _, texts in errors_in(alone.stdout) for text in texts):
                problems.append(f"{where}: no message matches '{use.expect}': {use.sentence}\n{alone.stdout}")
        return problems, len(unexplained)


def main(path, *compiler):
    try:
        source = Source(os.path.abspath(path), compiler)
    except ValueError as error:
        return str(error)
    problems, alone = source.check()
    if problems:
        return "\n".join(problems)
    print(f"{len(source.uses)} wrong uses give the expected errors, {alone} of them only by themselves")
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))

#!/usr/bin/env python3
"""The numbered rules: docs/rules.md defines them, tests name them, comments and pages cite them.

scripts/rules.py            reports what does not fit together
scripts/rules.py --write    writes the index of docs/rules.md: which tests name each rule

A definition is a heading: `### B9 A rejection records no outcome`.
A test names rules at the beginning of its name, and in its tags:

    TEST_CASE("B9 R4 a refused call is not made", "[B9][R4]")
    TEST_CASE("B5 to B8: whatever a storm left, a healthy dependency closes the breaker")

A program without such tests (tests/static, compile_fail, relacy, fuzz ...) is one test: the comment that it
begins with names its rules. A Python file of tests/ has a test for each class and each function whose docstring
begins with rules, and one for the file if its own does.
"""

import argparse
import os
import re
import sys

sys.dont_write_bytecode = True

from lint.links import slug  # noqa: E402

PAGE = "docs/rules.md"
BEGIN = "<!-- index: begin (made by scripts/rules.py --write) -->"
END = "<!-- index: end -->"
LETTERS = "TEFBGRH"  # these are looked for in any case; other letters if the page defines rules of them

TESTS = "tests"
SOURCES = ("include", TESTS, "examples", "benchmarks", "storm")
SUFFIXES = (".hpp", ".cpp", ".inl")

STRING = r'"(?:[^"\\\n]|\\.)*"'
STRINGS = rf"{STRING}(?:\s*{STRING})*"
TEST = re.compile(rf"\b\w*TEST_CASE\w*\(\s*(?:[\w:<>]+,\s*)?({STRINGS})(?:\s*,\s*({STRINGS}))?")
PYTHON_TEST = re.compile(r'(?:^[ \t]*(?:class|def) \w+[^\n]*:\n\s*|\A(?:#[^\n]*\n)*)"""(?P<name>[^\n"]*)', re.M)
FIRST_COMMENT = re.compile(r"(?://[^\n]*\n)*")
COMMENT_OR_STRING = re.compile(rf"(?P<comment>//[^\n]*|/\*.*?\*/)|{STRING}|'(?:[^'\\\n]|\\[^'\n]+)'", re.S)
INDEX = re.compile(rf"{re.escape(BEGIN)}.*?{re.escape(END)}", re.S)
TO = r" to | ?– ?"  # between the first and the last of several rules


class Rule:
    """A definition."""

    def __init__(self, name, title, line):
        self.name, self.title, self.line = name, title, line

    def link(self):
        return f"[{self.name}](#{slug(f'{self.name} {self.title}')})"


class Names:
    """Finds the names of rules in texts."""

    def __init__(self, letters):
        rule = rf"[{letters}][1-9]\d?"
        # Not the end of an option, of a path, of an anchor, of a number.
        self._rules = re.compile(rf"(?<![\w#+./\\-])({rule})(?:(?:{TO})({rule}))?(?![\w-])")
        self._leading = re.compile(rf"{rule}(?:(?:{TO}|, | and | ){rule})*(?![\w-])")

    def cited(self, text):
        """(position, rule) of each citation; "B5 to B8" cites B5 and B8."""
        for match in self._rules.finditer(text):
            for rule in filter(None, match.groups()):
                yield match.start(), rule

    def named(self, text):
        """The rules that the text names; "B5 to B8" names B5, B6, B7 and B8."""
        rules = set()
        for match in self._rules.finditer(text):
            first, last = match.groups()
            rules.update(filter(None, (first, last)))
            if last and first[0] == last[0]:
                rules.update(f"{first[0]}{number}" for number in range(int(first[1:]), int(last[1:])))
        return rules

    def leading(self, text):
        """The rules that the text begins with."""
        match = self._leading.match(text)
        return self.named(match.group()) if match else set()


def text_of(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def sources(root, *tops):
    """The C++ files below these folders, and the Python files of the tests, in order."""
    for top in tops:
        for folder, folders, names in os.walk(os.path.join(root, top)):
            folders.sort()
            for name in sorted(names):
                if name.endswith(SUFFIXES) or top == TESTS and name.endswith(".py"):
                    yield os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")


def pages(root):
    for folder in ("", "docs"):
        path = os.path.join(root, folder)
        for name in sorted(os.listdir(path)) if os.path.isdir(path) else ():
            if name.endswith(".md"):
                yield f"{folder}/{name}".lstrip("/")


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def definitions(page):
    """Every definition on the page, in its order."""
    return [
        Rule(match.group(1), match.group(2), line_of(page, match.start()))
        for match in re.finditer(r"^### ([A-Z][1-9]\d?) (\S.*?) *$", page, re.M)
    ]


def names_for(rules):
    return Names("".join(sorted(set(LETTERS) | {rule.name[0] for rule in rules})))


def unquoted(strings):
    return "".join(string[1:-1] for string in re.findall(STRING, strings or ""))


def tests_of(path, text, names):
    """(position, rules in the name, rules in name and tags) of each test of a file."""
    if path.endswith(".py"):
        for match in PYTHON_TEST.finditer(text):
            named = names.leading(match["name"])
            if named:
                yield match.start("name"), named, named
        return
    tests = list(TEST.finditer(text))
    for match in tests:
        named = names.leading(unquoted(match.group(1)))
        tagged = names.named(unquoted(match.group(2)))
        yield match.start(1), named, named | tagged
    if not tests and path.endswith(".cpp"):
        named = names.named(FIRST_COMMENT.match(text).group())
        yield 0, named, named


def citations(text, is_page, is_python, names):
    """(position, rule) of each citation: in a page, in comments, in the names and tags of tests."""
    if is_page:
        yield from names.cited(INDEX.sub(lambda found: "\n" * found.group().count("\n"), text))
        return
    if is_python:
        for position, named, _ in tests_of(".py", text, names):
            yield from ((position, rule) for rule in named)
        return
    for match in COMMENT_OR_STRING.finditer(text):
        if match.group("comment"):
            for position, rule in names.cited(match.group()):
                yield match.start() + position, rule
    for match in TEST.finditer(text):
        for group in (1, 2):
            for _, rule in names.cited(unquoted(match.group(group))):
                yield match.start(group), rule


def index(root, rules):
    """The table of the rules and of the tests that name them."""
    names = names_for(rules)
    holders = {}
    for path in sources(root, TESTS):
        for _, _, held in tests_of(path, text_of(root, path), names):
            for rule in held:
                counts = holders.setdefault(rule, {})
                counts[path] = counts.get(path, 0) + 1
    rows = ["| rule | tests that name it, by file |", "|---|---|"]
    for rule in rules:
        files = [
            f"[{path.removeprefix(TESTS + '/').rpartition('.')[0].removesuffix('.test')}](../{path}) {count}"
            for path, count in sorted(holders.get(rule.name, {}).items())
        ]
        rows.append(f"| {rule.link()} | {', '.join(files) or 'none'} |")
    return "\n".join(rows)


def with_index(page, table):
    """The page with this index; None if it has no place for one."""
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        return None
    return f"{page[:page.index(BEGIN)]}{BEGIN}\n\n{table}\n\n{page[page.index(END):]}"


def check(root):
    """What is wrong, a line each."""
    if not os.path.exists(os.path.join(root, PAGE)):
        return [f"{PAGE}: does not exist"]
    page = text_of(root, PAGE)
    rules = definitions(page)
    names = names_for(rules)
    problems, lines = [], {}
    for rule in rules:
        if rule.name in lines:
            problems.append(f"{PAGE}:{rule.line}: {rule.name} is defined twice, first in line {lines[rule.name]}")
        lines.setdefault(rule.name, rule.line)

    named = set()
    for path in [*sources(root, *SOURCES), *pages(root)]:
        text = text_of(root, path)
        for position, rule in sorted(set(citations(text, path.endswith(".md"), path.endswith(".py"), names))):
            if rule not in lines:
                problems.append(f"{path}:{line_of(text, position)}: cites {rule}, which {PAGE} does not define")
        if path.startswith(f"{TESTS}/"):
            named.update(*(in_name for _, in_name, _ in tests_of(path, text, names)))

    problems += [
        f"{PAGE}:{line}: no test names {rule} at the beginning of its name"
        for rule, line in lines.items()
        if rule not in named
    ]
    renewed = with_index(page, index(root, rules))
    if renewed is None:
        problems.append(f"{PAGE}: has no place for the index, between {BEGIN} and {END}")
    elif renewed != page:
        problems.append(f"{PAGE}: the index is out of date: scripts/rules.py --write")
    return problems


def write(root):
    """Renews the index; False if the page has no place for it."""
    page = text_of(root, PAGE)
    renewed = with_index(page, index(root, definitions(page)))
    if renewed not in (None, page):
        with open(os.path.join(root, PAGE), "w", encoding="utf-8") as file:
            file.write(renewed)
    return renewed is not None


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the index")
    parser.add_argument("--root", default=os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    options = parser.parse_args(arguments)
    if options.write:
        if write(options.root):
            return 0
        print(f"{PAGE}: has no place for the index, between {BEGIN} and {END}", file=sys.stderr)
        return 1
    problems = check(options.root)
    for problem in problems:
        print(problem)
    print(f"rules: {len(problems)} problem(s)" if problems else "rules: clean")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

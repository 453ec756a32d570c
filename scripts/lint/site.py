"""The pages that the site shows. The tables of docs/README.md are its navigation."""

import os
import re

INDEX = "docs/README.md"
ADAPTERS = "docs/adapters.md"
DECISIONS = "docs/decisions/README.md"
TABLE = re.compile(r"^\| *(?:page|record) *\|[^\n]*\n\|[-| ]+\|\n((?:\|[^\n]*(?:\n|\Z))+)", re.M)
ROW = re.compile(r"^\| *\[[^\]]*\]\(([^)#\s]+)\)", re.M)
HEADING = re.compile(r"^(##+) +(.*?) *$", re.M)
CELL = re.compile(r"\]\(|\]\[")
UNKNOWN = ("not found", "not looked at", "no")
ISSUE = re.compile(r"^\[[^\]]+\]\(https://github\.com/[\w.-]+/[\w.-]+/(?:issues|pull)/\d+\)$")
RULE = re.compile(r"^\[([A-Z]\d+)\]\(rules\.md#[^)]+\)$")
TEST = re.compile(r"^\[`(.+)`\]\(\.\./(tests/[^)]+)\)$")


def check_nav(tree):
    """every page is in a table of docs/README.md, so that the site shows it, and in one only"""
    if not tree.exists(INDEX):
        return []
    seen, problems = {}, []
    for page in listed(navigation(tree.text)):
        if page in seen:
            problems.append(f"{INDEX}: {page} is listed twice")
        seen[page] = True
    known = {"README.md", INDEX, *seen}
    problems += [f"{page}: is in no table of {INDEX} that begins with `| page |`" for page in tree.pages() if page not in known]
    return problems


def navigation(text_of):
    """[(title, [page or (title, pages)])]: the sections of docs/README.md that have a table of pages."""
    text = text_of(INDEX)
    headings = [(match.start(), len(match.group(1)), match.group(2)) for match in HEADING.finditer(text)]
    sections = []
    for match in TABLE.finditer(text):
        above = [one for one in headings if one[0] < match.start()]
        section = [one for one in above if one[1] == 2][-1][2]
        if not sections or sections[-1][0] != section:
            sections.append((section, []))
        pages = [page if page != DECISIONS else decisions(text_of) for page in rows(INDEX, match.group(1))]
        sections[-1][1].extend([(above[-1][2], pages)] if above[-1][1] > 2 else pages)
    return sections


def decisions(text_of):
    return ("Decisions", [DECISIONS, *(page for table in TABLE.finditer(text_of(DECISIONS)) for page in rows(DECISIONS, table.group(1)))])


def rows(page, table):
    return [os.path.normpath(os.path.join(os.path.dirname(page), target)) for target in ROW.findall(table)]


def listed(entries):
    for entry in entries:
        if isinstance(entry, str):
            yield entry
        else:
            yield from listed(entry[1])


def check_adapters(tree):
    """each adapter is in both tables of docs/adapters.md and in the table of headers in docs/README.md"""
    problems = []
    doors = [header for header in tree.headers if re.fullmatch(r"adapters/\w+", header)]
    linked = [name.strip() for _, cells in table(tree, ADAPTERS, "| adapter |") for name in cells[0].split(",")]
    for door in doors:
        for page in (ADAPTERS, INDEX):
            if not any(f"](../{tree.path(door)})" in cells[0] for _, cells in table(tree, page, "| header |")):
                problems.append(f"{tree.path(door)}: has no row in the table of headers of {page}")
        name = door.removeprefix("adapters/")
        if name not in linked:
            problems.append(f"{tree.path(door)}: {name} has no row in the table of {ADAPTERS} that says how to link it")
    return problems


def check_comparison(tree):
    """each cell of the features in docs/comparison.md links to its source, or says that it has none"""
    problems = []
    for line, cells in table(tree, "docs/comparison.md", "| feature |"):
        for cell in cells[1:]:
            if cells[0] != "language" and cell not in UNKNOWN and not CELL.search(cell):
                problems.append(f"docs/comparison.md:{line}: `{cell}` links to no source")
    return problems


def check_scoreboard(tree):
    """each row of docs/scoreboard.md has an issue, a rule, and a test of that rule that exists"""
    problems, seen = [], set()
    for line, cells in table(tree, "docs/scoreboard.md", "| issue |"):
        where = f"docs/scoreboard.md:{line}"
        issue, rule, test = ISSUE.match(cells[0]), RULE.match(cells[2]), TEST.match(cells[-1])
        if not (issue and rule and test):
            problems.append(f"{where}: is no issue, rule and test, each with its link")
            continue
        if cells[0] in seen:
            problems.append(f"{where}: {cells[0]} stands twice")
        seen.add(cells[0])
        name, path = test.groups()
        if rule.group(1) not in re.findall(r"[A-Z]\d+", name):
            problems.append(f"{where}: the test does not name {rule.group(1)}")
        if not tree.exists(path) or f'"{name}"' not in re.sub(r'"\s*\n\s*"', "", tree.text(path)):
            problems.append(f"{where}: {path} has no test `{name}`")
    return problems


def table(tree, page, header):
    """(line, cells) of the rows below this header, in every table of the page."""
    inside = False
    for number, line in tree.lines(page) if tree.exists(page) else ():
        if line.startswith(header):
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not re.match(r"[|\- ]+$", line):
            yield number, [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]

"""The pages that the site shows. The tables of docs/README.md are its navigation."""

import json
import os
import re

from lint.tree import DOOR

INDEX = "docs/README.md"
ADAPTERS = "docs/adapters.md"
COMPARISON = "docs/comparison.md"
PERFORMANCE = "docs/performance.md"
RECORDED = "benchmarks/instructions.json"
DECISIONS = "docs/decisions/README.md"
TABLE = re.compile(r"^\| *(?:page|record) *\|[^\n]*\n\|[-| ]+\|\n((?:\|[^\n]*(?:\n|\Z))+)", re.M)
ROW = re.compile(r"^\| *\[[^\]]*\]\(([^)#\s]+)\)", re.M)
HEADING = re.compile(r"^(##+) +(.*?) *$", re.M)
CELL = re.compile(r"\]\(|\]\[")
SOURCE = re.compile(r"\]\[([^\]]+)\]")
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


def check_headers(tree):
    """each door is in the table of headers in docs/README.md, each adapter in both tables of docs/adapters.md too"""
    if not tree.exists(INDEX):
        return []
    problems = [unlisted(tree, INDEX, header) for header in tree.headers if tree.kind(header) == DOOR]
    doors = [header for header in tree.headers if re.fullmatch(r"adapters/\w+", header)]
    linked = [name.strip() for _, cells in table(tree, ADAPTERS, "| adapter |") for name in cells[0].split(",")]
    for door in doors:
        problems.append(unlisted(tree, ADAPTERS, door))
        name = door.removeprefix("adapters/")
        if name not in linked:
            problems.append(f"{tree.path(door)}: {name} has no row in the table of {ADAPTERS} that says how to link it")
    return [problem for problem in problems if problem]


def unlisted(tree, page, door):
    if not any(f"](../{tree.path(door)})" in cells[0] for _, cells in table(tree, page, "| header |")):
        return f"{tree.path(door)}: has no row in the table of headers of {page}"
    return None


def check_comparison(tree):
    """the tables of docs/comparison.md name the same features; each cell links to its source, or says that it has none"""
    problems, features, width = [], [], 0
    sources = re.findall(r"^\[([^\]]+)\]:", tree.text(COMPARISON), re.M) if tree.exists(COMPARISON) else ()
    for line, cells in table(tree, COMPARISON, "| feature |", heads=True):
        where, feature = f"{COMPARISON}:{line}", cells[0]
        if feature == "feature":
            width, known = len(cells), tuple(features)
            continue
        if len(cells) != width:
            problems.append(f"{where}: has {len(cells)} cells, not {width}")
        if known and feature not in known:
            problems.append(f"{where}: `{feature}` is no feature of the first table")
        features.append(feature)
        for cell in cells[1:]:
            if feature != "language" and cell not in UNKNOWN and not CELL.search(cell):
                problems.append(f"{where}: `{cell}` links to no source")
            problems += [f"{where}: nothing says where [{name}] is" for name in SOURCE.findall(cell) if name not in sources]
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


def check_instructions(tree):
    """docs/performance.md has each path of benchmarks/instructions.json, with the recorded count but for 1 % and 1"""
    if not tree.exists(RECORDED):
        return []
    recorded, seen, problems = json.loads(tree.text(RECORDED))["paths"], set(), []
    for line, cells in table(tree, PERFORMANCE, "| path | instructions |"):
        path, shown = cells[0].strip("`"), float(cells[1].replace(",", ""))
        seen.add(path)
        known = recorded.get(path)
        if known is None:
            problems.append(f"{PERFORMANCE}:{line}: {RECORDED} has no {path}")
        elif abs(shown - known) > known / 100 + 1:
            problems.append(f"{PERFORMANCE}:{line}: {path} takes {shown:g}; {RECORDED} says {known:g}")
    return problems + [f"{PERFORMANCE}: lacks {path} of {RECORDED}" for path in recorded if path not in seen]


def table(tree, page, header, heads=False):
    """(line, cells) of the rows below this header, in every table of the page, and of the header itself if asked."""
    inside = False
    for number, line in tree.lines(page) if tree.exists(page) else ():
        head = line.startswith(header)
        inside = head or inside and line.startswith("|")
        if inside and (heads or not head) and not re.match(r"[|:\- ]+$", line):
            yield number, [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]

"""Work notes, and what a release must know."""

import re

from lint.tree import CXX_SUFFIXES

SUFFIXES = CXX_SUFFIXES + (".txt", ".cmake", ".in", ".json", ".py", ".sh", ".md")
TOPS = ("include", "tests", "examples", "benchmarks", "storm", "docs", "cmake", "scripts", ".ci")
# What a merge leaves where two changes meet: "<<<<<<< ours", "=======", ">>>>>>> theirs".
MERGED = re.compile(r"^([<>|])\1{6} ")
NOTES = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK")) + r")\b")


def check_words(tree):
    """no work notes (the usual four-letter ones) and no marks of a merge are left in the sources"""
    problems = []
    for path in [*tree.files(*TOPS, suffixes=SUFFIXES), *tree.top_files(*SUFFIXES)]:
        for number, line in tree.lines(path):
            if NOTES.search(line):
                problems.append(f"{path}:{number}: a work note: {line.strip()}")
            if MERGED.search(line):
                problems.append(f"{path}:{number}: a mark of a merge: {line.strip()}")
    return problems


def check_version(tree):
    """CHANGELOG.md has a section for the version of version.hpp"""
    version = re.search(r'VERSION_STRING "([^"]+)"', tree.text(tree.path("version")))
    if not version:
        return [f"{tree.path('version')}: defines no FUSEBOX_VERSION_STRING"]
    changes = tree.text("CHANGELOG.md") if tree.exists("CHANGELOG.md") else ""
    if f"## [{version.group(1)}]" not in changes:
        return [f"CHANGELOG.md: has no section for {version.group(1)}, the version of version.hpp"]
    return []

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


# Files that repeat the version, since their tools read no header: what stands before it.
VERSIONS = {"meson.build": "version: '", "packaging/vcpkg/ports/fusebox/vcpkg.json": '"version": "'}


def check_version(tree):
    """CHANGELOG.md has a section for the version of version.hpp, and files of other tools repeat that version"""
    version = re.search(r'VERSION_STRING "([^"]+)"', tree.text(tree.path("version")))
    if not version:
        return [f"{tree.path('version')}: defines no FUSEBOX_VERSION_STRING"]
    version, problems = version.group(1), []
    changes = tree.text("CHANGELOG.md") if tree.exists("CHANGELOG.md") else ""
    if f"## [{version}]" not in changes:
        problems.append(f"CHANGELOG.md: has no section for {version}, the version of version.hpp")
    for path, before in VERSIONS.items():
        if tree.exists(path) and f"{before}{version}{before[-1]}" not in tree.text(path):
            problems.append(f"{path}: does not say {before}{version}, the version of version.hpp")
    return problems

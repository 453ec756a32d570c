#!/usr/bin/env python3
"""What the tests reach of include/, from what a coverage build left behind.

scripts/coverage.py BUILD_DIRECTORY

Lines are gcovr's, and so is what counts as a branch (--exclude-throw-branches, --exclude-unreachable-branches). But
gcovr counts a branch of a template again for each type that it was made for, and no type goes everywhere: here a
line counts once, and a branch of it is taken where any instantiation takes it. Prints where a branch was never taken,
and both figures; fails below LINES or BRANCHES.
"""

import argparse
import collections
import concurrent.futures
import glob
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
INCLUDE = os.path.join(ROOT, "include") + os.sep
LINES = 98
BRANCHES = 93


def gcov(data):
    """What gcov says of one object file: a document for each."""
    command = ["gcov", "--json-format", "--branch-probabilities", "--stdout", data]
    output = subprocess.run(command, check=True, capture_output=True, text=True, cwd=os.path.dirname(data)).stdout
    return [json.loads(line) for line in output.splitlines()]


def branches_of(document, taken):
    """Adds to `taken`: (header, line) -> how often each branch of the line was, once for each function with it."""
    for file in document["files"]:
        path = os.path.realpath(os.path.join(document["current_working_directory"], file["file"]))
        if not path.startswith(INCLUDE):
            continue
        for line in file["lines"]:
            counts = [branch["count"] for branch in line["branches"] if not branch["throw"]]
            if counts:
                taken[path[len(INCLUDE):], line["line_number"]].append(counts)


def merged(functions):
    """The branches of a line. Functions with as many are the same code. Others, which `if constexpr`, constants and
    destructors have changed, are the same line again: it counts as the kind that the tests reach most of."""
    kinds = collections.defaultdict(collections.Counter)
    for counts in functions:
        kinds[len(counts)].update(dict(enumerate(counts)))
    return max((list(kind.values()) for kind in kinds.values()),
               key=lambda branches: (sum(map(bool, branches)) / len(branches), len(branches)))


def has_code(header, line, sources):
    if header not in sources:
        with open(os.path.join(INCLUDE, header), encoding="utf-8") as file:
            sources[header] = file.read().splitlines()
    return sources[header][line - 1].strip("{}(); ") != ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    build = os.path.abspath(parser.parse_args().build)

    taken = collections.defaultdict(list)
    data = glob.glob(os.path.join(build, "**", "*.gcda"), recursive=True)
    if not data:
        sys.exit(f"{build}: no coverage data: build the preset 'coverage' and run its tests")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as executor:
        for documents in executor.map(gcov, data):
            for document in documents:
                branches_of(document, taken)

    reached = total = 0
    missed = collections.defaultdict(list)
    sources = {}
    for (header, line), functions in sorted(taken.items()):
        if not has_code(header, line, sources):
            continue
        branches = merged(functions)
        total += len(branches)
        reached += sum(1 for count in branches if count > 0)
        if not all(branches):
            missed[header].append(str(line))
    for header, lines in missed.items():
        print(f"not every branch taken: {header}: {', '.join(lines)}")
    percent = 100 * reached / total
    print(f"branches: {reached} of {total}, {percent:.1f} %; at least {BRANCHES} %\n", flush=True)
    gcovr = ["gcovr", "--root", ROOT, "--filter", INCLUDE, "--exclude-throw-branches", "--exclude-unreachable-branches"]
    lines = subprocess.run([*gcovr, "--print-summary", "--fail-under-line", str(LINES), build])
    sys.exit(lines.returncode != 0 or percent < BRANCHES)


if __name__ == "__main__":
    main()

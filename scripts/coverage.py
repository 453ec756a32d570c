#!/usr/bin/env python3
"""What the tests reach of include/, from what a coverage build left behind.

scripts/coverage.py BUILD_DIRECTORY

Lines are gcovr's, and so is what counts as a branch (--exclude-throw-branches). But gcovr counts a branch of a
template again for each type that it was made for, and no type goes everywhere: here it counts once, and is taken
where any of them takes it. Prints the branches that nobody took; fails below LINES or BRANCHES.
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
BRANCHES = 95


def gcov(data):
    """What gcov says of one object file: a document for each."""
    command = ["gcov", "--json-format", "--branch-probabilities", "--stdout", data]
    output = subprocess.run(command, check=True, capture_output=True, text=True, cwd=os.path.dirname(data)).stdout
    return [json.loads(line) for line in output.splitlines()]


def branches_of(document, taken):
    """Adds to `taken`: (header, line, branches of the line, which) -> how often."""
    for file in document["files"]:
        path = os.path.realpath(os.path.join(document["current_working_directory"], file["file"]))
        if not path.startswith(INCLUDE):
            continue
        for line in file["lines"]:
            own = [branch["count"] for branch in line["branches"] if not branch["throw"]]
            for which, count in enumerate(own):
                taken[path[len(INCLUDE):], line["line_number"], len(own), which] += count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    build = os.path.abspath(parser.parse_args().build)

    taken = collections.Counter()
    data = glob.glob(os.path.join(build, "**", "*.gcda"), recursive=True)
    if not data:
        sys.exit(f"{build}: no coverage data: build the preset 'coverage' and run its tests")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as executor:
        for documents in executor.map(gcov, data):
            for document in documents:
                branches_of(document, taken)

    missed = collections.defaultdict(set)
    for (header, line, _, _), count in taken.items():
        if count == 0:
            missed[header].add(line)
    for header, lines in sorted(missed.items()):
        print(f"not every branch taken: {header}: {', '.join(str(line) for line in sorted(lines))}")
    reached = sum(1 for count in taken.values() if count > 0)
    percent = 100 * reached / len(taken)
    print(f"branches: {reached} of {len(taken)}, {percent:.1f} %; at least {BRANCHES} %\n", flush=True)
    lines = subprocess.run(["gcovr", "--root", ROOT, "--filter", INCLUDE, "--fail-under-line", str(LINES), build])
    sys.exit(lines.returncode != 0 or percent < BRANCHES)


if __name__ == "__main__":
    main()

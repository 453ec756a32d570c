#!/usr/bin/env python3
"""Writes what docs/ shows of the storm lab: plots, and tables in marked blocks of the pages.

scripts/storm_docs.py STORM            runs the program and writes docs/img/storm-*.svg and the blocks
scripts/storm_docs.py STORM --check    only says what would change; then it ends with 1

A block of a page says what is run, on one line:

    <!-- storm: scenario=storm/scenarios/docs/jitter.json seed=7 panels=load columns=peak_load_ratio,success_ratio -->
    … the plot, the table and the command, written by this script …
    <!-- storm: end -->

scenario    a file, or the name of a scenario that ships with storm
seed        of the random numbers
panels      of the plot: load, success, p50, p99, queued, busy, limit, breakers, rejected, retries
columns     of the table, by their names in the CSV
only        optional: these pipelines, in this order
plot        optional: the name of the plot, docs/img/storm-NAME.svg; else the scenario's
"""

import argparse
import csv
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BLOCK = re.compile(r"(<!-- storm: (?!end)([^\n]*?) -->\n)(.*?)(<!-- storm: end -->)", re.S)
KNOWN = ("scenario", "seed", "panels", "columns", "only", "plot")
HEADINGS = {
    "success_ratio": "success",
    "peak_load_ratio": "peak load on recovery",
    "peak_load_ratio_overall": "peak load",
    "amplification": "attempts per call",
    "wasted_ratio": "wasted work",
    "recovery_s": "recovery",
    "p50_ms": "median latency",
    "p99_ms": "p99 latency",
    "rejected_ratio": "rejected",
    "calls": "calls",
    "attempts": "attempts",
}


class Mistake(Exception):
    pass


def options_of(text):
    options = dict(part.split("=", 1) for part in text.split() if "=" in part)
    unknown = [name for name in options if name not in KNOWN]
    if unknown or not {"scenario", "seed", "panels", "columns"} <= options.keys():
        raise Mistake(f"'<!-- storm: {text} -->': needs scenario, seed, panels and columns, knows {', '.join(KNOWN)}")
    return options


def shown(column, text):
    """A number of the CSV for people, as storm's own table shows it."""
    value = float(text)
    if value == float("inf"):
        return "never"
    if column.endswith("_ratio") and not column.startswith("peak"):
        return f"{value * 100:.1f} %"
    if column.startswith("peak"):
        return f"{value:.2f} ×"
    if column == "amplification":
        return f"{value:.2f}"
    if column == "recovery_s":
        return f"{value:.0f} s"
    if column.endswith("_ms"):
        return f"{value / 1000:.2f} s" if value >= 1000 else f"{value:.0f} ms"
    return f"{value:,.0f}"


class Lab:
    """Runs storm, each run once."""

    def __init__(self, program, folder):
        self.program, self.folder = os.path.abspath(program), folder
        self.runs = {}

    def run(self, options):
        """The titles, rows of the CSV, SVG and command of a run."""
        command = ["run", "--scenario", options["scenario"], "--seed", options["seed"], "--svg", options["panels"]]
        if "only" in options:
            command += ["--only", options["only"]]
        key = tuple(command)
        if key not in self.runs:
            out = os.path.join(self.folder, str(len(self.runs)))
            result = subprocess.run([self.program, *command, "--out", out], cwd=ROOT, capture_output=True, text=True)
            if result.returncode != 0:
                raise Mistake(f"storm {' '.join(command)}: {result.stderr.strip()}")
            name = os.path.splitext(os.path.basename(options["scenario"]))[0]
            with open(os.path.join(out, f"{name}.csv"), encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            with open(os.path.join(out, f"{name}.svg"), encoding="utf-8") as file:
                picture = file.read()
            with open(os.path.join(out, f"{name}.html"), encoding="utf-8") as file:
                data = json.loads(re.search(r'id="data">(.*?)</script>', file.read(), re.S).group(1))
            titles = {one["name"]: one["title"] for one in data["pipelines"]}
            self.runs[key] = (titles, rows, picture, " ".join(["storm", *command, "--out", "results"]))
        return self.runs[key]


def block_of(options, lab):
    """The text of a block, its plot's name and its plot."""
    titles, rows, picture, command = lab.run(options)
    columns = options["columns"].split(",")
    for column in columns:
        if column not in rows[0]:
            raise Mistake(f"no column {column}")
    plot = options.get("plot") or os.path.splitext(os.path.basename(options["scenario"]))[0].replace("_", "-")
    title = re.search(r"<title>(.*?)</title>", picture).group(1)
    lines = [f"![{title}](img/storm-{plot}.svg)", ""]
    lines.append("| pipeline | " + " | ".join(HEADINGS.get(column, column) for column in columns) + " |")
    lines.append("|---|" + "---:|" * len(columns))
    for row in rows:
        cells = [titles[row["pipeline"]].replace("|", "\\|"), *(shown(column, row[column]) for column in columns)]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", f"`{command}`", ""]
    return "\n".join(lines), f"docs/img/storm-{plot}.svg", picture


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("storm")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()

    wanted = {}
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(arguments.storm, folder)
        for path in sorted(glob.glob(os.path.join(ROOT, "docs", "*.md"))):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            if "<!-- storm: " not in text:
                continue

            def replace(match):
                block, plot, picture = block_of(options_of(match.group(2)), lab)
                if wanted.setdefault(plot, picture) != picture:
                    raise Mistake(f"{plot} is drawn twice, differently: give one of them plot=NAME")
                return match.group(1) + "\n" + block + match.group(4)

            wanted[os.path.relpath(path, ROOT)] = BLOCK.sub(replace, text)

    for path in glob.glob(os.path.join(ROOT, "docs", "img", "storm-*.svg")):
        wanted.setdefault(os.path.relpath(path, ROOT), None)  # in no block any more
    changed = []
    for path, text in sorted(wanted.items()):
        full = os.path.join(ROOT, path)
        old = None
        if os.path.exists(full):
            with open(full, encoding="utf-8") as file:
                old = file.read()
        if old == text:
            continue
        changed.append(path)
        if arguments.check:
            continue
        if text is None:
            os.remove(full)
        else:
            with open(full, "w", encoding="utf-8") as file:
                file.write(text)
    for path in changed:
        print(f"{path}: {'is not what storm gives: make storm-plots' if arguments.check else 'written'}")
    return 1 if arguments.check and changed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Mistake as mistake:
        sys.exit(f"storm_docs: {mistake}")

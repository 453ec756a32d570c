#!/usr/bin/env python3
"""Plays the configurations in the native and in the WebAssembly build, and compares what they find, byte by byte.

check_wasm.py FOLDER NATIVE [COMPILER...]

FOLDER is the built playground, NATIVE the program of native.cpp. With a COMPILER, the C++ of each configuration must
also compile.
"""

import json
import os
import subprocess
import sys

from check_cpp import problems

HERE = os.path.dirname(os.path.abspath(__file__))
CONFIGURATIONS = os.path.join(HERE, "configurations.txt")


def run(*command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, encoding="utf-8", check=False, timeout=300)
    if done.returncode != 0:
        sys.exit(f"{command[0]}: {done.stderr.strip()}")
    return done.stdout


def main():
    folder, native, *compiler = sys.argv[1:]
    with open(CONFIGURATIONS, encoding="utf-8") as file:
        fragments = file.read().split()

    questions = run("node", os.path.join(HERE, "ask.js"), folder, CONFIGURATIONS, "questions")
    answers = run("node", os.path.join(HERE, "ask.js"), folder, CONFIGURATIONS, "answers").splitlines()
    expected = run(native, text=questions).splitlines()
    failures = []
    if not len(answers) == len(expected) == 2 * len(fragments):
        failures.append(f"{len(fragments)} configurations: {len(expected)} lines natively, {len(answers)} in WebAssembly")
    for i, fragment in enumerate(fragments):
        ours, theirs = expected[2 * i : 2 * i + 2], answers[2 * i : 2 * i + 2]
        if ours != theirs:
            failures.append(f"{fragment}:\n  native {ours}\n  wasm   {theirs}")
        summary = json.loads(ours[0])["summary"]
        if summary["calls"] < 1000:
            failures.append(f"{fragment}: only {summary['calls']} calls: nothing is compared")
    # The first one is a standard_pipeline, which the page takes apart: the library's own is the same.
    whole = json.loads(questions.splitlines()[0])
    whole["scenario"]["pipelines"][0]["policies"] = [{"policy": "standard_pipeline"}]
    if run(native, text=json.dumps(whole) + "\n").splitlines() != expected[:2]:
        failures.append("the parts of the page's standard_pipeline are not those of the library's")
    if compiler:
        failures += filter(None, [problems([json.loads(line) for line in expected[1::2]], compiler)])
    if len({answer for answer in expected[::2]}) < len(fragments):
        failures.append("two configurations have the same result: the settings do nothing")

    print("\n".join(failures) or f"{len(fragments)} configurations: the same, byte by byte")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

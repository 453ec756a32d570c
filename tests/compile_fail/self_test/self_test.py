#!/usr/bin/env python3
"""Checks check.py: self_test.py COMPILER [OPTION...]

For each *.cpp here, check.py has to give the verdict in its first line and no other. It has to accept the
source whose wrong uses "give the expected errors", and to refuse all others.
"""

import glob
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
CHECK = os.path.join(os.path.dirname(HERE), "check.py")


def fault_of(path, compiler):
    with open(path, encoding="utf-8") as file:
        verdict = re.match(r"// verdict: (.*)", file.readline())[1]
    result = subprocess.run(
        [sys.executable, CHECK, path, *compiler],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    verdicts = re.findall(r".*(?:wrong use|no message|right uses).*", result.stdout)
    accepted = result.returncode == 0
    if len(verdicts) == 1 and re.search(verdict, verdicts[0]):
        if accepted == ("give the expected errors" in verdict):
            return None
    return f"{path}: exit code {result.returncode}, not the verdict '{verdict}':\n{result.stdout}"


def main(*compiler):
    paths = sorted(glob.glob(os.path.join(HERE, "*.cpp")))
    faults = [fault for path in paths if (fault := fault_of(path, compiler))]
    if faults or not paths:
        return "\n".join(faults) or "no sources"
    print(f"{len(paths)} verdicts as expected")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

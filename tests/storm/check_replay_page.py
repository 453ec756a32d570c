#!/usr/bin/env python3
"""What docs/storm-replay.md shows of `storm replay` is what it prints.

check_replay_page.py STORM PAGE
    Runs each command of the page's ```console blocks, in the folder above the page's, and compares.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path


def main():
    storm, page = sys.argv[1], Path(sys.argv[2]).resolve()
    blocks = re.findall(r"^```console\n\$ storm (replay [^\n]*)\n(.*?)^```", page.read_text(), re.M | re.S)
    if not blocks:
        sys.exit(f"{page}: no command")
    for command, shown in blocks:
        result = subprocess.run(
            [storm, *shlex.split(command)], cwd=page.parent.parent, stdout=subprocess.PIPE, encoding="utf-8", check=True
        )
        if result.stdout != shown:
            sys.exit(f"{page}: storm {command} prints\n{result.stdout}\ninstead of\n{shown}")
    print(f"{len(blocks)} command(s) print what the page shows")


if __name__ == "__main__":
    main()

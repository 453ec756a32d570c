#!/usr/bin/env python3
"""The C++20 module: modules/fusebox.cppm exports every public name.

scripts/module.py            reports what it lacks, and what it exports that is not public
scripts/module.py --write    writes it
"""

import os
import sys

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "scripts"))

from lint import exports  # noqa: E402
from lint.tree import Tree  # noqa: E402


def main(arguments):
    if arguments not in ([], ["--write"]):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    tree = Tree(ROOT)
    if arguments:
        with open(os.path.join(ROOT, exports.PATH), "w", encoding="utf-8") as file:
            file.write(exports.text(tree))
        return 0
    problems = exports.check(tree)
    print("\n".join(problems) if problems else f"{exports.PATH} exports every public name")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

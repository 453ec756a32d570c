#!/usr/bin/env python3
"""The public API as text: api/fusebox.txt holds it, `make lint` compares it.

scripts/api.py                    what has changed since api/base.txt, the last release
scripts/api.py --write            writes api/fusebox.txt (make api)
scripts/api.py --write-base NAME  writes api/base.txt too: changes count from here (scripts/release.sh)
scripts/api.py --names            the names that using-declarations can export: name, kind, header, doors, by tabs
scripts/api.py --breaks           what has gone or changed since api/base.txt; status 1 if there is something
"""

import argparse
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lint import api  # noqa: E402
from lint.tree import Tree  # noqa: E402


def write(tree, path, text):
    os.makedirs(os.path.join(tree.root, os.path.dirname(path)), exist_ok=True)
    with open(os.path.join(tree.root, path), "w", encoding="utf-8") as file:
        file.write(text)


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--write-base", metavar="NAME", help=argparse.SUPPRESS)
    parser.add_argument("--names", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--breaks", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--root", default=os.path.dirname(sys.path[0]), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)

    tree = Tree(options.root)
    if options.names:
        for name, kind, header, doors in api.names(tree):
            print(name, kind, header, ",".join(doors), sep="\t")
        return 0
    now = api.render(tree)
    if options.write or options.write_base:
        write(tree, api.NOW, now)
    if options.write_base:
        write(tree, api.BASE, api.render_base(now, options.write_base, tree.text(api.CHANGES)))
    if options.write or options.write_base:
        return 0
    changes = api.changed(tree.text(api.BASE), now)
    breaks = 0
    for name, went, came in changes:
        if options.breaks and not went:
            continue
        breaks += 1
        print(name)
        for line in went:
            print(f"  - {line}")
        for line in came:
            print(f"  + {line}")
    return 1 if options.breaks and breaks else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

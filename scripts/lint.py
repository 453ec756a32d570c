#!/usr/bin/env python3
"""Checks the sources: says what is wrong, where, and what is asked for.

scripts/lint.py [--fix] [--root DIR] [CHECK...]     every check, or those named; --fix formats the sources first

The checks are in scripts/lint/, one module for each subject; scripts/lint/layout.py holds the layout, the limits
and the exceptions as data.
"""

import argparse
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lint import api, budget, doors, exports, layers, libraries, links, macros  # noqa: E402
from lint import mirror, notes, pages, policies, prose, public  # noqa: E402
from lint import rules_cited, site, sizes, style  # noqa: E402
from lint.tree import Tree  # noqa: E402

CHECKS = {
    "layers": layers.check,
    "libraries": libraries.check,
    "doors": doors.check,
    "public": public.check,
    "policies": policies.check,
    "exports": exports.check,
    "macros": macros.check,
    "sizes": sizes.check,
    "mirror": mirror.check,
    "rules": rules_cited.check,
    "prose": prose.check,
    "links": links.check,
    "pages": pages.check,
    "nav": site.check_nav,
    "headers": site.check_headers,
    "comparison": site.check_comparison,
    "scoreboard": site.check_scoreboard,
    "instructions": site.check_instructions,
    "words": notes.check_words,
    "version": notes.check_version,
    "api": api.check,
    "budget": budget.check,
    "format": style.check_format,
    "names": style.check_names,
}


def main(arguments):
    checks = "\n".join(f"{name:10} {check.__doc__.strip()}" for name, check in CHECKS.items())
    parser = argparse.ArgumentParser(
        description=f"{__doc__}\n{checks}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage=argparse.SUPPRESS,
    )
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=argparse.SUPPRESS)
    parser.add_argument("--fix", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--root", default=os.path.dirname(sys.path[0]), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    unknown = [name for name in options.checks if name not in CHECKS]
    if unknown:
        print(f"lint: unknown check {unknown[0]}; known: {', '.join(CHECKS)}", file=sys.stderr)
        return 2

    tree = Tree(options.root)
    if options.fix:
        style.fix_format(tree)
    count = 0
    for name in options.checks or CHECKS:
        print(f"lint: {name}", flush=True)
        problems = CHECKS[name](tree)
        count += len(problems)
        for problem in problems:
            print(f"   {problem}", flush=True)
    print(f"lint: {count} problem(s)" if count else "lint: clean")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What headers cost those who include them."""

import re

from lint import libraries, tools


def check(tree):
    """headers stay within their budget of preprocessed lines (g++ -E -P), and reach no fmt through others"""
    if not tools.find("g++"):
        return tools.missing("g++")
    return [*lines(tree), *fmt(tree)]


def lines(tree):
    for header, budget in tree.layout.BUDGET.items():
        if header not in tree.headers:
            continue
        result = tools.compile_headers(tree, [header], ["-E", "-P"])
        if result.returncode != 0:
            yield f"{tree.path(header)}: does not preprocess:\n{result.stderr}"
            continue
        count = result.stdout.count("\n")
        print(f"   {header}: {count} of {budget} preprocessed lines")
        if count > budget:
            yield f"{tree.path(header)}: {count} preprocessed lines; the budget is {budget}"


def fmt(tree):
    """Not through a standard or third-party header either."""
    result = tools.compile_headers(tree, libraries.light(tree), ["-M"])
    if result.returncode != 0:
        yield f"include: does not preprocess:\n{result.stderr}"
    elif re.search(r"/fmt/\w+\.h", result.stdout):
        yield f"include: a header of layer {tree.layout.LIGHT} or lower reaches fmt"

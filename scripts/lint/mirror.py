"""Tests stand where their headers stand."""

from lint.tree import matches, stale

UNIT, SUFFIX = "tests/unit/", ".test.cpp"


def check(tree):
    """each header has a test at the same path, and each unit test a header"""
    return [*untested(tree), *homeless(tree)]


def untested(tree):
    used = set()
    for header in tree.headers:
        test = f"{UNIT}{header}{SUFFIX}"
        if tree.exists(test):
            continue
        exceptions = [name for name in tree.layout.WITHOUT_TEST if matches(header, [name])]
        used.update(exceptions)
        if not exceptions:
            yield f"{tree.path(header)}: has no test {test} (WITHOUT_TEST in scripts/lint/layout.py lists exceptions)"
    yield from stale("WITHOUT_TEST", tree.layout.WITHOUT_TEST, used)


def homeless(tree):
    """A further file on the behaviour of x stands in the folder x/."""
    for path in tree.files(UNIT, suffixes=(SUFFIX,)):
        name = path[len(UNIT) : -len(SUFFIX)]
        if name not in tree.headers and name.rpartition("/")[0] not in tree.headers:
            yield f"{path}: no header {name}.hpp, and no header whose folder it stands in"

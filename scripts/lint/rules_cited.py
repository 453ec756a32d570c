"""The rules of docs/rules.md; scripts/rules.py knows how to read them."""

import rules


def check(tree):
    """each cited rule exists in docs/rules.md, and each rule has a test"""
    return list(rules.check(tree.root))

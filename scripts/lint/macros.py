"""Macros and the namespace."""

import re

from lint import cpp
from lint.tree import stale

BEGIN, END = "FUSEBOX_BEGIN_NAMESPACE", "FUSEBOX_END_NAMESPACE"


def check(tree):
    """macros are FUSEBOX_..., defined and documented in one file; headers open the namespace with theirs"""
    return [*definitions(tree), *uses(tree), *namespaces(tree)]


def defined(tree):
    """(name, header, line) of each #define."""
    for header in tree.headers:
        for line, directive in cpp.directives(tree.text(tree.path(header))):
            match = re.match(r"define\s+(\w+)", directive)
            if match:
                yield match.group(1), header, line


def definitions(tree):
    homes, used = {}, set()
    for name, header, line in defined(tree):
        path = tree.path(header)
        where = f"{path}:{line}: defines {name}"
        if not name.startswith("FUSEBOX_"):
            yield f"{where}; a macro of the library begins with FUSEBOX_"
        if header not in tree.layout.MACRO_HEADERS:
            used.add(name)
            if name not in tree.layout.MACROS_ELSEWHERE:
                yield f"{where}; macros are defined in {' and '.join(map(tree.path, tree.layout.MACRO_HEADERS))}"
        if homes.setdefault(name, header) != header:
            yield f"{where}, as {tree.path(homes[name])} does; a macro is defined in one file"
        elif not documented(tree, path, name):
            yield f"{where}; no comment there says when to use it"
    yield from stale("MACROS_ELSEWHERE", tree.layout.MACROS_ELSEWHERE, used)


def documented(tree, path, name):
    """Does a comment name it? `FUSEBOX_A_B, _C` names FUSEBOX_A_C too."""
    for _, line in tree.lines(path):
        if line.lstrip().startswith("//"):
            words = re.findall(r"\w+", line)
            if name in words or any(word.startswith("_") and name.endswith(word) for word in words):
                return True
    return False


def uses(tree):
    """A misspelt macro in an #if is 0, without a word from the compiler."""
    known = {name for name, _, _ in defined(tree)}
    for header in tree.headers:
        path = tree.path(header)
        code = cpp.without_comments_and_strings(tree.text(path))
        for number, line in enumerate(code.splitlines(), 1):
            for name in re.findall(r"\bFUSEBOX_\w+", line):
                if name not in known:
                    yield f"{path}:{number}: uses {name}, which no header defines"


def namespaces(tree):
    for header in tree.headers:
        path = tree.path(header)
        code = cpp.without_directives(cpp.without_comments_and_strings(tree.text(path)))
        begins, ends = (len(re.findall(rf"^{name}$", code, re.M)) for name in (BEGIN, END))
        for number, line in enumerate(code.splitlines(), 1):
            if re.search(r"\bnamespace\s+(\w+\s*=\s*)?(::\s*)?fusebox\b", line):
                yield f"{path}:{number}: opens namespace fusebox by hand; use {BEGIN}"
        if begins != ends:
            yield f"{path}: {begins} {BEGIN} and {ends} {END}, each on a line of its own"
        if begins == 0 and code.strip():
            yield f"{path}: has no {BEGIN}"

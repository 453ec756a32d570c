"""Links, images and tables of the Markdown pages."""

import os
import re
import urllib.parse

INLINE = re.compile(r"\]\(\s*(<[^>]*>|[^\s()]*(?:\([^\s()]*\)[^\s()]*)*)(?:\s+[\"'(][^)]*)?\s*\)")
REFERENCE = re.compile(r"^ {0,3}\[[^\]]+\]:\s*(\S+)", re.M)
HTML = re.compile(r"<(?:a|img|source)\b[^>]*?\b(?:href|src|srcset)\s*=\s*[\"']([^\"'\s]+)", re.I)
HTML_ANCHOR = re.compile(r"<\w+[^>]*?\b(?:id|name)\s*=\s*[\"']([^\"']+)", re.I)


def check(tree):
    """links and images of the pages lead to files and headings that exist; tables have their heads"""
    problems = []
    for page in tree.pages():
        for line, target in links(tree.text(page)):
            wrong = broken(tree, page, target)
            if wrong:
                problems.append(f"{page}:{line}: a link to {target}: {wrong}")
        problems += [f"{page}:{line}: a table begins here without a head" for line in headless(tree.text(page))]
    return problems


def blank(pattern, text, flags=0):
    """What the pattern finds becomes spaces; lines stay where they are."""
    return re.sub(pattern, lambda found: re.sub(r"[^\n]", " ", found.group()), text, flags=flags)


def prose(text):
    """A page without blocks of code and comments."""
    text = blank(r"<!--.*?-->", text, re.S)
    return blank(r"^( *)(```+|~~~+)[^\n]*\n.*?^ *\2[ \t]*$", text, re.M | re.S)


def links(text):
    """(line, target) of each link and image."""
    text = blank(r"(`+)(?!`).+?(?<!`)\1(?!`)", prose(text))
    for pattern in (INLINE, REFERENCE, HTML):
        for match in pattern.finditer(text):
            yield text.count("\n", 0, match.start(1)) + 1, match.group(1).strip("<>")


def headless(text):
    """The lines where a table begins whose second line is not |---|."""
    lines = [*prose(text).split("\n"), ""]
    for i, line in enumerate(lines[:-1]):
        if line.startswith("|") and (i == 0 or not lines[i - 1].startswith("|")) and not lines[i + 1].startswith("|--"):
            yield i + 1


def broken(tree, page, target):
    """What is wrong with a link, or None."""
    if re.match(r"[a-z][a-z0-9+.-]*:|//", target, re.I):
        return None  # another site
    path, _, anchor = target.partition("#")
    path = urllib.parse.unquote(path)
    folder = "" if path.startswith("/") else os.path.dirname(page)
    file = os.path.normpath(os.path.join(folder, path.lstrip("/"))) if path else page
    if file.startswith(".."):
        return "it leads out of the project"
    if not tree.exists(file):
        return f"{file} does not exist"
    if anchor and file.endswith(".md") and urllib.parse.unquote(anchor) not in anchors(tree.text(file)):
        return f"{file} has no heading #{anchor}"
    return None


def anchors(text):
    """The anchors of a page's headings, and those written as HTML."""
    text = prose(text)
    found = set(HTML_ANCHOR.findall(text))
    headings = re.findall(r"^ {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*$", text, re.M)
    headings += re.findall(r"^ {0,3}(\S[^\n]*)\n {0,3}(?:=+|-+)[ \t]*$", text, re.M)
    for heading in headings:
        found.add(free_slug(heading, found))
    return found


def slug(heading):
    """The anchor of a heading, as forges make it."""
    heading = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def free_slug(heading, taken):
    """The same with a number if an earlier heading has it."""
    base = name = slug(heading)
    again = 0
    while name in taken:
        again += 1
        name = f"{base}-{again}"
    return name

#!/usr/bin/env python3
"""The filter through which Doxygen reads Markdown pages; it prints the changed page.

scripts/docs/filter_markdown.py PAGE.md

Doxygen does not follow links to headings and sources, and searches images by name. So:
- each page and heading gets an id: `retry` for docs/retry.md, `retry-when-it-stops` for its "When it stops";
- a link to a page, a heading, a public header or an example becomes a reference;
- a link to any other file or folder becomes plain text;
- an image loses its folder;
- a block of code marked `c++` is marked `cpp`;
- `http::` in code loses its looks of an address, which Doxygen would link.
"""

import os
import re
import sys

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))

from lint.links import blank, free_slug, prose  # noqa: E402

HEADING = re.compile(r"^(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$", re.M)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|!?\[[^\]]*\]\([^)]*\))*)\]\(([^()\s]+)\)")
PAGES_OF = {"examples": "examples.html", "include/fusebox": "files.html"}


def page_id(page):
    name = re.sub(r"^docs/|\.md$", "", page.replace(os.sep, "/")).lower().replace("/", "-")
    return {"readme": "index" if "/" not in page else "docs"}.get(name, name)


def headings(page, text):
    """(end of the line, id) of each heading."""
    seen = set()
    for match in HEADING.finditer(prose(text)):
        name = free_slug(text[match.start(2) : match.end(2)], seen)
        seen.add(name)
        if match.group(1) != "#":
            yield match.end(2), f"{page_id(page)}-{name}"
        elif page_id(page) != "index":  # which Doxygen gives to the main page
            yield match.end(2), page_id(page)


def reference(page, target):
    """What a link leads to in the reference; None if that is nothing."""
    path, _, anchor = target.partition("#")
    path = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
    if path in PAGES_OF:
        return PAGES_OF[path]
    if path.endswith(".md") and (path.startswith("docs/") or "/" not in path):
        return f"@ref {page_id(path)}" + (f"-{anchor}" if anchor else "")
    if path.endswith(".hpp") and path.startswith("include/"):
        return f"@ref {path.removeprefix('include/')}"
    if path.endswith(".cpp") and os.path.dirname(path) == "examples":
        return f"@ref {os.path.basename(path)}"
    return None


def links(page, text):
    """(begin, end, replacement) of each link and image that leads to a file of the project."""
    # Code is no link, but a link's text may be code: hide the brackets of code only.
    shown = re.sub(r"`[^`\n]*`", lambda code: re.sub(r"[\[\]()]", " ", code.group()), prose(text))
    for match in LINK.finditer(shown):
        image, target = match.group(1), match.group(3)
        label = text[match.start(2) : match.end(2)]
        if re.match(r"[a-z]+:", target):
            continue
        if image:
            yield match.start(), match.end(), f"![{label}]({os.path.basename(target)})"
            continue
        leads_to = reference(page, target)
        yield match.start(), match.end(), f"[{label.replace('`', '')}]({leads_to})" if leads_to else label


def names(text):
    """(begin, end, replacement) of each piece of code that begins with http::."""
    for match in re.finditer(r"`(http:)(:[^`\n]*)`", prose(text)):
        yield match.start(), match.end(), f"<code>{match.group(1)}</code><code>{match.group(2)}</code>"


def main(path):
    page = os.path.relpath(os.path.abspath(path), ROOT)
    with open(path, encoding="utf-8") as file:
        text = blank(r"<!--.*?-->", file.read(), re.S)
    changes = [(end, end, f" {{#{name}}}") for end, name in headings(page, text)]
    for begin, end, replacement in sorted([*changes, *links(page, text), *names(text)], reverse=True):
        text = text[:begin] + replacement + text[end:]
    sys.stdout.write(re.sub(r"^( *```)c\+\+$", r"\1cpp", text, flags=re.M))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])

#!/usr/bin/env python3
"""Checks the links and images of a folder of HTML pages; the exit code is 1 if any is broken.

scripts/docs/check_links.py DIR [--checked FOLDER]

A link to a file must lead to an existing file inside DIR, and an anchor to an existing id or name.
Links to other sites are not followed, but must be whole. Links on the pages of FOLDER, which is in DIR, are not checked.
"""

import html.parser
import os
import re
import sys
import urllib.parse

DOXYGENS_OWN = "#nested-classes"  # on pages of classes whose nested classes are all private


class Page(html.parser.HTMLParser):
    """The links of a page, and its anchors."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors = [], set()
        with open(path, encoding="utf-8") as file:
            self.feed(file.read())

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("href", "src", "data") and value:
                self.links.append((self.getpos()[0], value))
            elif name in ("id", "name") and value:
                self.anchors.add(value)


def read_pages(root):
    pages = {}
    for folder, _, names in os.walk(root):
        for name in names:
            if name.endswith((".html", ".svg")):
                path = os.path.join(folder, name)
                pages[path] = Page(path)
    return pages


def broken(root, pages, page, link):
    """What is wrong with a link of a page, or None."""
    parts = urllib.parse.urlsplit(link)
    if parts.scheme == "file":
        return "leads to a file of this machine"
    if parts.scheme in ("http", "https") and not re.fullmatch(r"[\w.-]+(:\d+)?", parts.netloc):
        return "is no whole address"
    if parts.scheme or parts.netloc:
        return None
    path = urllib.parse.unquote(parts.path)
    target = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
    if os.path.relpath(target, root).startswith(".."):
        return "leads out of the folder"
    if not os.path.isfile(target):
        return "does not exist"
    if link == DOXYGENS_OWN:
        return None
    anchor = urllib.parse.unquote(parts.fragment)
    if anchor and target in pages and anchor not in pages[target].anchors:
        return "has no such anchor"
    return None


def main(root, checked=None):
    root = os.path.normpath(root)
    skipped = os.path.join(root, checked) + os.sep if checked else None
    pages = read_pages(root)
    if not pages:
        print(f"{root} has no pages", file=sys.stderr)
        return 2
    count, problems = 0, {}
    for page, parsed in pages.items():
        if skipped and page.startswith(skipped):
            continue
        for line, link in parsed.links:
            count += 1
            wrong = broken(root, pages, page, link)
            if wrong:
                where = f"{os.path.relpath(page, root)}:{line}"
                problems.setdefault((link, wrong), []).append(where)
    for (link, wrong), places in sorted(problems.items()):
        more = f" and {len(places) - 3} more" if len(places) > 3 else ""
        print(f"{link} {wrong}: {', '.join(places[:3])}{more}")
    total = sum(map(len, problems.values()))
    print(f"{len(pages)} pages, {count} links and images, {total} broken")
    return 1 if problems else 0


if __name__ == "__main__":
    if len(sys.argv) not in (2, 4) or sys.argv[2:3] not in ([], ["--checked"]):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], *sys.argv[3:]))

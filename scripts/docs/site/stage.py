"""Makes the pages of the site from the project's Markdown: README.md, docs/, and the other pages at the root.

GitHub reads the same pages, so what the two read differently is changed on the way: the addresses of pages and
sources, the anchors of headings, the indentation of lists, the diagrams.
"""

import os
import re
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path[:0] = [os.path.join(ROOT, "scripts"), HERE]

import sequence  # noqa: E402
from lint.links import free_slug, prose, slug  # noqa: E402
from lint.site import INDEX, listed, navigation  # noqa: E402
from rules import definitions  # noqa: E402

MOVED = {"README.md": "index.md", "docs/README.md": "pages.md", "docs/decisions/README.md": "decisions/index.md"}
SETTINGS = {  # of MkDocs: the list of pages, the table of contents and the template
    "index.md": "hide: [navigation]",
    "pages.md": "hide: [navigation]",
    "comparison.md": "hide: [toc]",
    "scoreboard.md": "hide: [toc]",
    "cheat-sheet.md": "hide: [navigation, toc]\ntemplate: sheet.html",
}
ITEM = re.compile(r"( *)([-*+]|\d+[.)]) +(?=\S)")
FENCE = re.compile(r" *(```+|~~~+)")
HEADING = re.compile(r"^(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$", re.M)
CITED = re.compile(r"(?<!\])\(([A-Z]\d{1,2}(?:, [A-Z]\d{1,2})*)\)")
RULES = "docs/rules.md"
LINK = re.compile(r"\]\(([^()\s]+)\)")
INFO = re.compile(r"^( *(?:```+|~~~+)[\w+-]+)[ \t]+[^`\n]*$", re.M)  # a language, and more words
DIAGRAM = re.compile(r"^```mermaid\n(.*?)^```$", re.M | re.S)
FRAME = """<p class="buttons"><a class="md-button" href="playground/index.html">Open the playground alone</a></p>
<iframe class="playground" src="playground/index.html" title="The playground" loading="lazy"></iframe>
"""


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def pages():
    """page of the project -> page of the site"""
    found = {}
    for name in sorted(os.listdir(ROOT)):
        if name.endswith(".md"):
            found[name] = MOVED.get(name, name.lower())
    for folder, _, names in os.walk(os.path.join(ROOT, "docs")):
        for name in sorted(names):
            if name.endswith(".md"):
                page = os.path.relpath(os.path.join(folder, name), ROOT).replace(os.sep, "/")
                found[page] = MOVED.get(page, page.removeprefix("docs/"))
    return found


def title_of(text):
    match = HEADING.search(prose(text))
    return text[match.start(2) : match.end(2)].replace("`", "") if match else ""


def with_anchors(text):
    seen, changes = set(), []
    for match in HEADING.finditer(prose(text)):
        name = free_slug(text[match.start(2) : match.end(2)], seen)
        seen.add(name)
        changes.append((match.end(2), f" {{#{name}}}"))
    for end, anchor in reversed(changes):
        text = text[:end] + anchor + text[end:]
    return text


def without_code(text):
    """The page with its code blank, but for words of code inside a line: a link's text may be code."""
    return re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", lambda code: re.sub(r"[\[\]()]", " ", code.group()), prose(text))


def with_lists(text):
    """Four columns for each level of a list, and an empty line before it."""
    lines, columns, fence, before = [], [], None, ""
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip(" "))
        if not line.strip():
            lines.append("")
            before = ""
            continue
        if fence is None:
            kept = [column for column in columns if column <= indent]
            item = ITEM.match(line)
            if len(kept) < len(columns) and not item and before and not FENCE.match(line):
                kept = columns  # a paragraph goes on, whatever its indentation
                indent = max(indent, columns[-1])
            columns = kept
        deepest = columns[-1] if columns else 0
        moved = " " * (4 * len(columns) + max(0, indent - deepest)) + line.lstrip(" ")
        if fence is None:
            if item and indent - deepest < 4:
                if before and not columns and not ITEM.match(before) and not before.startswith((" ", "#")):
                    lines.append("")
                moved = " " * 4 * len(columns) + line.lstrip(" ")
                columns = [*columns, item.end()]
            found = FENCE.match(line)
            fence = found.group(1) if found else None
        elif line.strip() == fence:
            fence = None
        lines.append(moved)
        before = line
    return "\n".join(lines)


class Wrong(ValueError):
    """What is wrong with the pages."""


class Stage:
    """Writes the pages into a folder; `sources` are then the files and folders that they link to."""

    def __init__(self, folder):
        self.folder = folder
        self.pages = pages()
        self.titles = {page: title_of(read(page)) for page in self.pages}
        self.rules = {rule.name: slug(f"{rule.name} {rule.title}") for rule in definitions(read(RULES))}
        self.sources = set()

    def write(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(os.path.join(ROOT, "docs", "img"), os.path.join(self.folder, "img"))
        self.copy("build/docs/html", "api")
        self.copy("build/playground", "playground")
        for page, place in self.pages.items():
            path = os.path.join(self.folder, place)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(self.page(page, read(page)))

    def copy(self, built, place):
        if os.path.exists(os.path.join(ROOT, built, "index.html")):
            shutil.copytree(os.path.join(ROOT, built), os.path.join(self.folder, place))

    def has(self, place):
        return os.path.exists(os.path.join(self.folder, place, "index.html"))

    def page(self, page, text):
        text = re.sub(r"<!--.*?-->\n?", "", text, flags=re.S)
        text = INFO.sub(r"\1", text)
        text = self.with_links(page, self.with_rules(page, text))
        text = with_lists(with_anchors(text))
        settings = SETTINGS.get(self.pages[page])
        if settings:
            text = f"---\n{settings}\n---\n\n{text}"
        try:
            text = DIAGRAM.sub(lambda found: sequence.draw(found.group(1)), text)
        except sequence.Unknown as unknown:
            raise Wrong(f"{page}: {unknown}") from None
        if page == "docs/playground.md" and self.has("playground"):
            first, rest = text.split("\n## ", 1)
            text = f"{first}\n{FRAME}\n## {rest}"
        return text

    def with_rules(self, page, text):
        """Rules that are cited in brackets, such as (B9), become links."""
        for match in reversed(list(CITED.finditer(without_code(text)))):
            names = match.group(1).split(", ")
            if all(name in self.rules for name in names):
                to = os.path.relpath(RULES, os.path.dirname(page) or ".").replace(os.sep, "/")
                links = ", ".join(f"[{name}]({to}#{self.rules[name]})" for name in names)
                text = f"{text[: match.start(1)]}{links}{text[match.end(1) :]}"
        return text

    def with_links(self, page, text):
        shown = without_code(text)
        for match in reversed(list(LINK.finditer(shown))):
            target = match.group(1)
            if re.match(r"[a-z]+:", target):
                continue
            begin, end = match.span(1)
            text = text[:begin] + self.address(page, target) + text[end:]
            path = os.path.normpath(os.path.join(os.path.dirname(page), target.partition("#")[0]))
            name = shown.rfind("[", 0, match.start())
            if path in self.titles and text[name + 1 : match.start()] == os.path.basename(path):
                text = text[: name + 1] + self.titles[path] + text[match.start() :]
        return text

    def address(self, page, target):
        """The address on the site of what a page of the project links to."""
        path, _, anchor = target.partition("#")
        if not path:
            return target
        path = os.path.normpath(os.path.join(os.path.dirname(page), path)).replace(os.sep, "/")
        if path in self.pages:
            place = self.pages[path]
        elif path.startswith("docs/img/"):
            place = path.removeprefix("docs/")
        else:
            if not os.path.exists(os.path.join(ROOT, path)):
                raise Wrong(f"{page}: a link to {target}: {path} does not exist")
            place = source_place(path)
            self.sources.add(path)
        place = os.path.relpath(place, os.path.dirname(self.pages[page]) or ".").replace(os.sep, "/")
        return f"{place}#{anchor}" if anchor else place

    def nav(self):
        def placed(entries):
            return [
                {self.titles[entry]: self.pages[entry]} if isinstance(entry, str) else {entry[0]: placed(entry[1])}
                for entry in entries
            ]

        missing = set(self.pages) - {"README.md", INDEX} - set(listed(navigation(read)))
        if missing:
            raise Wrong(f"{INDEX} lists no {', '.join(sorted(missing))}")
        nav = [{"fusebox": "index.md"}, {"All pages": "pages.md"}, *placed(navigation(read))]
        if self.has("api"):
            nav.append({"API reference": "api/index.html"})
        return nav


def source_place(path):
    is_folder = os.path.isdir(os.path.join(ROOT, path))
    return f"source/{path}/index.html" if is_folder else f"source/{path}.html"

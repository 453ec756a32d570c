"""The files of a checkout, and where its headers stand in the layout."""

import fnmatch
import functools
import os
import re

from lint import layout as default_layout

CXX_SUFFIXES = (".hpp", ".cpp", ".inl")
HEADERS = "include/fusebox/"

DOOR, ROOM, MACHINERY, SHARED, UMBRELLA = "door", "room", "machinery", "shared", "umbrella"


class Tree:
    """Paths are relative to the root; headers are named by their path below include/fusebox without ".hpp"."""

    def __init__(self, root, layout=default_layout):
        self.root = os.path.abspath(root)
        self.layout = layout
        self._texts = {}
        self._places = {
            name: (number, step)
            for number, steps in enumerate(layout.LAYERS)
            for step, names in enumerate(steps)
            for name in names.split()
        }

    # Files.

    def exists(self, path):
        return os.path.exists(os.path.join(self.root, path))

    def text(self, path):
        if path not in self._texts:
            with open(os.path.join(self.root, path), encoding="utf-8") as file:
                self._texts[path] = file.read()
        return self._texts[path]

    def lines(self, path):
        """(number, line) of each line."""
        return enumerate(self.text(path).splitlines(), 1)

    def length(self, path):
        return len(self.text(path).splitlines())

    def files(self, *tops, suffixes=CXX_SUFFIXES):
        """The files below these folders, in order."""
        return [path for top in tops for path in self.walk(top) if path.endswith(suffixes)]

    def walk(self, top):
        return sorted(
            os.path.relpath(os.path.join(folder, name), self.root)
            for folder, _, names in os.walk(os.path.join(self.root, top))
            for name in names
            if "__pycache__" not in folder
        )

    def top_files(self, *suffixes):
        return [name for name in sorted(os.listdir(self.root)) if name.endswith(suffixes)]

    def pages(self):
        """The Markdown pages."""
        return [*self.top_files(".md"), *self.files("docs", suffixes=(".md",))]

    # Headers.

    @functools.cached_property
    def headers(self):
        return [path[len(HEADERS) : -len(".hpp")] for path in self.files("include", suffixes=(".hpp",))]

    @staticmethod
    def path(header):
        return f"{HEADERS}{header}.hpp"

    def includes(self, path):
        """(line, what is included, whether in quotes) of each #include."""
        for number, line in self.lines(path):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if match:
                yield number, match.group(2), match.group(1) == '"'

    @functools.cached_property
    def graph(self):
        """header -> [(line, header that it includes)], only those of the library."""
        return {
            header: [
                (line, name[len("fusebox/") :].removesuffix(".hpp"))
                for line, name, _ in self.includes(self.path(header))
                if name.startswith("fusebox/")
            ]
            for header in self.headers
        }

    def reachable(self, header):
        """The header and all that it includes, directly or not."""
        seen, left = set(), [header]
        while left:
            one = left.pop()
            if one not in seen:
                seen.add(one)
                left += [target for _, target in self.graph.get(one, [])]
        return seen

    # The layout.

    def kind(self, header):
        if header == self.layout.UMBRELLA:
            return UMBRELLA
        parts = header.split("/")
        if parts[0] == "detail":
            return SHARED
        if "detail" in parts:
            return MACHINERY
        return DOOR if len(parts) == 1 or (len(parts) == 2 and parts[0] in self.layout.DOOR_FOLDERS) else ROOM

    def door(self, header):
        """The door that a room or machinery belongs to; a door and shared machinery belong to themselves."""
        if self.kind(header) not in (ROOM, MACHINERY):
            return header
        parts = header.split("/")
        return "/".join(parts[:2]) if parts[0] in self.layout.DOOR_FOLDERS else parts[0]

    def rooms(self, door):
        return [one for one in self.headers if self.kind(one) == ROOM and self.door(one) == door]

    def listed(self, header):
        """The place that LAYERS gives to this very header."""
        if header in self._places:
            return self._places[header]
        return next((at for name, at in self._places.items() if fnmatch.fnmatchcase(header, name)), None)

    def place(self, header):
        """(layer, step), or None if it has no place."""
        if self.kind(header) in (ROOM, MACHINERY) and header not in self._places:
            return self.listed(self.door(header))
        return self.listed(header)


def matches(header, names):
    return any(fnmatch.fnmatchcase(header, name) for name in names)


def stale(what, exceptions, used):
    """A list of exceptions stays as short as it can be."""
    for one in exceptions:
        if one not in used:
            yield f"scripts/lint/layout.py: {what} lists {one!r}, which needs no exception (any more)"

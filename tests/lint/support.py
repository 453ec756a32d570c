"""A small tree that every check accepts, to be broken one rule at a time."""

import os
import sys
import tempfile
import types
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPTS = os.path.join(ROOT, "scripts")
sys.path.insert(0, SCRIPTS)

from lint import layout  # noqa: E402
from lint.tree import Tree  # noqa: E402

LAYERS = (
    ("detail/macros", "version", "fwd"),
    ("clock/concept detail/throw detail/ticks", "detail/validate"),
    ("clock backoff",),
    ("permit",),
    ("retry circuit_breaker",),
    ("registry",),
    ("health format error_response",),
    ("coro adapters/* test/*",),
)
LAYOUT = {
    **{name: value for name, value in vars(layout).items() if name.isupper()},
    "LAYERS": LAYERS,
    "LIGHT": 5,
    "POLICIES": 4,
    "FRIENDS": {},
    "USED_BY_ONE_DOOR": {},
    "DETAIL_IN_SIGNATURE": {},
    "WITHOUT_TEST": {"fusebox": "", "fwd": "", "version": "", "detail/macros": ""},
    "MACROS_ELSEWHERE": {},
    "INCLUDES_ROOMS": {},
    "ON_NO_PAGE": {},
    "BUDGET": {"retry": 1000},
}


def path(header):
    return f"include/fusebox/{header}.hpp"


def header(name, *includes, rooms=(), body="int one();"):
    """The text of a header that includes <...> and declares `body`; its banner names its rooms."""
    lines = [f"// fusebox/{name}.hpp: a header."]
    lines += [f"//   {room}.hpp   a room" for room in rooms]
    lines += ["#pragma once", ""]
    lines += [f"#include <{one}>" if "/" not in one or one.startswith("fmt/") else include(one) for one in includes]
    return "\n".join([*lines, "", "FUSEBOX_BEGIN_NAMESPACE", "", body, "", "FUSEBOX_END_NAMESPACE", ""])


def include(name, export=False):
    return f"#include <fusebox/{name[1:] if name.startswith('/') else name}.hpp>" + (
        "  // IWYU pragma: export" if export else ""
    )


MACROS = """// fusebox/detail/macros.hpp: the macros.
#pragma once

/// FUSEBOX_BEGIN_NAMESPACE and FUSEBOX_END_NAMESPACE: around everything that a header declares.
#define FUSEBOX_BEGIN_NAMESPACE namespace fusebox::inline v0 {
#define FUSEBOX_END_NAMESPACE }
"""
VERSION = """// fusebox/version.hpp: the version.
//
// FUSEBOX_VERSION_STRING   "1.2.3"
#pragma once

#include <fusebox/detail/macros.hpp>

#define FUSEBOX_VERSION_STRING "1.2.3"
"""
DOORS = ("circuit_breaker", "clock", "format", "fwd", "registry", "retry", "version")
UMBRELLA = "\n".join(
    [
        "// fusebox/fusebox.hpp: everything.",
        "#pragma once",
        "",
        *(include(f"/{door}", export=True) for door in DOORS),
        "",
    ]
)
FWD = header("fwd", "/version", body="class Retry;\ntemplate <class T = int>\nclass Breaker;\nenum class State : int;")

# A name with a / is a header of the library; /clock is the door clock.
HEADERS = {
    "detail/macros": MACROS,
    "version": VERSION,
    "fwd": FWD,
    "clock/concept": header("clock/concept", "detail/macros", body="template <class C>\nconcept Clock = true;"),
    "detail/throw": header("detail/throw", "detail/macros", body="namespace detail {\nint raise();\n}"),
    "detail/ticks": header("detail/ticks", "detail/macros", body="namespace detail {\nusing Tick = long;\n}"),
    "clock": header("clock", "clock/concept", "detail/ticks", rooms=["clock/concept"]),
    "retry/config": header("retry/config", "/clock"),
    "retry/detail/loop": header("retry/detail/loop", "retry/config", body="namespace detail {\nclass Loop {};\n}"),
    "retry": header(
        "retry", "detail/throw", "retry/config", "retry/detail/loop", rooms=["retry/config"], body="class Retry {};"
    ),
    "circuit_breaker": header(
        "circuit_breaker",
        "/fwd",
        "detail/throw",
        "detail/ticks",
        body="template <class T>\nclass Breaker {\n public:\n  int good() const;\n};\nenum class State : int { a, b };",
    ),
    "registry": header("registry", "memory", "/circuit_breaker"),
    "format": header("format", "fmt/format.h", "/retry"),
    "test/fake_clock": header("test/fake_clock", "/clock"),
    "fusebox": UMBRELLA,
}
GOOD = {
    **{path(name): text for name, text in HEADERS.items()},
    **{f"tests/unit/{name}.test.cpp": "" for name in HEADERS if name not in LAYOUT["WITHOUT_TEST"]},
    "README.md": "# A library\n\nSee [the guide](docs/guide.md#two-words) and ![a plot](docs/plot.svg).\n",
    "docs/guide.md": "# Guide\n\n## Two words\n\n```cpp\n#include <fusebox/retry.hpp>\n```\n\n[back](../README.md)\n",
    "docs/plot.svg": "",
    "examples/one.cpp": "#include <fusebox/fusebox.hpp>\n#include <fusebox/test/fake_clock.hpp>\n",
    "CHANGELOG.md": "# Changes\n\n## [1.2.3]\n",
}


class TreeOfTexts(Tree):
    """A tree that is not on disk."""

    def __init__(self, texts, layout):
        super().__init__("/nowhere", layout)
        self._texts = texts

    def exists(self, path):
        return any(name == path or name.startswith(f"{path}/") for name in self._texts)

    def walk(self, top):
        return sorted(name for name in self._texts if name.startswith(f"{top.rstrip('/')}/"))

    def top_files(self, *suffixes):
        return sorted(name for name in self._texts if "/" not in name and name.endswith(suffixes))


def texts(changes):
    """GOOD with other texts for some files; None removes one."""
    return {name: text for name, text in {**GOOD, **(changes or {})}.items() if text is not None}


class LintTest(unittest.TestCase):
    def tree(self, changes=None, **more):
        return TreeOfTexts(texts(changes), types.SimpleNamespace(**{**LAYOUT, **more}))

    def accepts(self, check, changes=None, **more):
        self.assertEqual(check(self.tree(changes, **more)), [])

    def refuses(self, check, changes, *expected, **more):
        """One problem, which says all that is expected: the file, the line, the rule."""
        problems = check(self.tree(changes, **more))
        self.assertEqual(len(problems), 1, problems)
        for text in expected:
            self.assertIn(text, problems[0])


class DiskTest(LintTest):
    """For checks that other programs do."""

    def tree(self, changes=None, **more):
        root = tempfile.TemporaryDirectory()
        self.addCleanup(root.cleanup)
        for name, text in texts(changes).items():
            file = os.path.join(root.name, name)
            os.makedirs(os.path.dirname(file), exist_ok=True)
            with open(file, "w", encoding="utf-8") as out:
                out.write(text)
        return Tree(root.name, types.SimpleNamespace(**{**LAYOUT, **more}))

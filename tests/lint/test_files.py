"""How long files may be, and where tests stand."""

import unittest

from support import GOOD, DiskTest, LintTest, header, path

from lint import mirror, sizes


def with_lines(text, count):
    return text + "\n" * (count - text.count("\n"))


class Files(DiskTest):
    def test_what_is_listed(self):
        tree = self.tree({"scripts/__pycache__/a.py": "", "scripts/b.py": "", "scripts/c.txt": ""})
        self.assertEqual(tree.files("scripts", "nowhere", suffixes=(".py",)), ["scripts/b.py"])
        self.assertEqual(tree.pages(), ["CHANGELOG.md", "README.md", "docs/guide.md"])
        self.assertIn("retry/detail/loop", tree.headers)


class Places(LintTest):
    def test_kinds_and_doors(self):
        tree = self.tree()
        for name, kind, door in (
            ("fusebox", "umbrella", "fusebox"),
            ("retry", "door", "retry"),
            ("retry/config", "room", "retry"),
            ("retry/deep/config", "room", "retry"),
            ("retry/detail/loop", "machinery", "retry"),
            ("retry/deep/detail/loop", "machinery", "retry"),
            ("detail/flow/result", "shared", "detail/flow/result"),
            ("test/fake_clock", "door", "test/fake_clock"),
            ("adapters/asio/timer", "room", "adapters/asio"),
            ("adapters/asio/detail/timer", "machinery", "adapters/asio"),
        ):
            self.assertEqual((tree.kind(name), tree.door(name)), (kind, door), name)

    def test_places(self):
        tree = self.tree(LAYERS=(("detail/a",), ("b/*", "test/*", "test/x b"), ("b/room",)))
        for name, place in (
            ("detail/a", (0, 0)),
            ("detail/b", None),
            ("test/x", (1, 2)),
            ("test/y", (1, 1)),
            ("test/y/room", (1, 1)),
            ("b", (1, 2)),
            ("b/other", (1, 2)),
            ("b/room", (2, 0)),
            ("b/detail/machine", (1, 2)),
            ("c", None),
        ):
            self.assertEqual(tree.place(name), place, name)


class Sizes(LintTest):
    def test_a_good_tree(self):
        self.accepts(sizes.check)

    def test_a_header_that_is_too_long(self):
        for name, what, limit in (
            ("retry", "a door", 300),
            ("test/fake_clock", "a door", 300),
            ("retry/config", "a room", 350),
            ("retry/detail/loop", "a header", 450),
            ("detail/ticks", "a header", 450),
        ):
            text = GOOD[path(name)]
            self.accepts(sizes.check, {path(name): with_lines(text, limit)})
            self.refuses(
                sizes.check,
                {path(name): with_lines(text, limit + 1)},
                f"{path(name)}: {limit + 1} lines; {what} has at most {limit}",
            )

    def test_headers_that_are_long_on_average(self):
        changes = {file: with_lines(text, 121) for file, text in GOOD.items() if file.startswith("include/")}
        self.refuses(sizes.check, changes, "include: the median of the headers is 121 lines; at most 120")

    def test_no_headers(self):
        self.accepts(sizes.check, {file: None for file in GOOD if file.startswith("include/")})

    def test_an_example_that_is_too_long(self):
        self.accepts(sizes.check, {"examples/one.cpp": "\n" * 150})
        self.refuses(
            sizes.check, {"examples/one.cpp": "\n" * 151}, "examples/one.cpp: 151 lines; an example has at most 150"
        )


class Mirror(LintTest):
    def test_a_good_tree(self):
        self.accepts(mirror.check)

    def test_a_header_without_a_test(self):
        changes = {path("adapters/asio"): header("adapters/asio")}
        self.refuses(
            mirror.check,
            changes,
            f"{path('adapters/asio')}: has no test tests/unit/adapters/asio.test.cpp (WITHOUT_TEST",
        )
        exceptions = {**self.tree().layout.WITHOUT_TEST, "adapters/*": "why"}
        self.refuses(mirror.check, {}, "WITHOUT_TEST lists 'adapters/*'", WITHOUT_TEST=exceptions)
        self.accepts(mirror.check, changes, WITHOUT_TEST=exceptions)

    def test_a_test_without_a_header(self):
        self.refuses(
            mirror.check,
            {"tests/unit/retry/deep/waits.test.cpp": ""},
            "tests/unit/retry/deep/waits.test.cpp: no header retry/deep/waits.hpp, and no header whose folder",
        )

    def test_a_test_of_nothing(self):
        self.refuses(mirror.check, {"tests/unit/lost.test.cpp": ""}, "tests/unit/lost.test.cpp: no header lost.hpp")

    def test_further_tests_of_a_header(self):
        self.accepts(
            mirror.check,
            {"tests/unit/retry/waits.test.cpp": "", "tests/unit/detail/ticks/far.test.cpp": ""},
        )

    def test_an_exception_that_is_not_needed(self):
        exceptions = {**self.tree().layout.WITHOUT_TEST, "retry": "why"}
        self.refuses(mirror.check, {}, "WITHOUT_TEST lists 'retry'", WITHOUT_TEST=exceptions)


if __name__ == "__main__":
    unittest.main()

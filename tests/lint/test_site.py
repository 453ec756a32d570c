"""The pages that the site shows, and what they claim of others."""

from support import LintTest, header, path

from lint import site

INDEX = """# Documentation

## Use

### Begin

| page | subject |
|---|---|
| [guide.md](guide.md) | all |

## Change

| page | subject |
|---|---|
| [decisions](decisions/README.md) | why |
| [CHANGELOG.md](../CHANGELOG.md) | what |

## Headers

| header | page |
|---|---|
| [x](../x.hpp) | [other.md](other.md) |
"""
PAGES = {
    "docs/README.md": INDEX,
    "docs/decisions/README.md": "# Decisions\n\n| record | says |\n|---|---|\n| [1](0001-one.md) | one |\n",
    "docs/decisions/0001-one.md": "# One\n",
}
FEATURES = "# Compared\n\n| feature | fusebox | other |\n|---|---|---|\n| language | C++ | Go |\n"
ROW = "| [x#1]({issue}) | it hung | [B5](rules.md#b5-x) | it does not | [`{test}`](../{path}) |\n"
DOORS = "circuit_breaker clock format fwd registry retry test/fake_clock version".split()  # of the small tree
ADAPTERS = {
    path("adapters/one"): header("adapters/one"),
    path("adapters/one/result"): header("adapters/one/result"),
    path("adapters/two2"): header("adapters/two2"),
    "docs/adapters.md": """# Adapters

| header | needs |
|---|---|
| [`adapters/one.hpp`](../include/fusebox/adapters/one.hpp) | one |
| [`adapters/two2.hpp`](../include/fusebox/adapters/two2.hpp) | two |

| adapter | by hand |
|---|---|
| one, two2 | `-lone` |
""",
    "docs/README.md": """# Documentation

| header | what it gives |
|---|---|
| [`adapters/one.hpp`](../include/fusebox/adapters/one.hpp) | one |
| [`adapters/two2.hpp`](../include/fusebox/adapters/two2.hpp) | two |
"""
    + "".join(f"| [`{door}.hpp`](../{path(door)}) | it |\n" for door in DOORS),
}
GOOD = {"issue": "https://github.com/a/x/issues/1", "test": "B5 a hung probe", "path": "tests/unit/breaker.test.cpp"}
TESTS = {GOOD["path"]: 'TEST_CASE("B5 a hung probe", "[B5]") {}\nTEST_CASE(\n    "B6 a long "\n    "name") {}\n'}


def board(*rows):
    head = "# Scoreboard\n\n| issue | report | rule | here | test |\n|---|---|---|---|---|\n"
    return {**TESTS, "docs/scoreboard.md": head + "".join(ROW.format(**{**GOOD, **row}) for row in rows)}


class Site(LintTest):
    def test_nav(self):
        self.accepts(site.check_nav, PAGES)
        self.assertEqual(
            site.navigation(self.tree(PAGES).text),
            [
                ("Use", [("Begin", ["docs/guide.md"])]),
                ("Change", [("Decisions", ["docs/decisions/README.md", "docs/decisions/0001-one.md"]), "CHANGELOG.md"]),
            ],
        )
        self.refuses(site.check_nav, {**PAGES, "docs/other.md": "# Other\n"}, "docs/other.md: is in no table")
        self.refuses(site.check_nav, {**PAGES, "docs/decisions/0002-two.md": "# Two\n"}, "0002-two.md: is in no table")
        twice = INDEX.replace("| all |", "| all |\n| [guide](guide.md) | again |")
        self.refuses(site.check_nav, {**PAGES, "docs/README.md": twice}, "docs/guide.md is listed twice")

    def test_headers(self):
        self.accepts(site.check_headers)
        self.accepts(site.check_headers, ADAPTERS)
        two, row = path("adapters/two2"), "| [`adapters/two2.hpp`](../include/fusebox/adapters/two2.hpp) | two |\n"
        for page, gone, left, expected in (
            ("docs/adapters.md", row, "", "headers of docs/adapters.md"),
            ("docs/README.md", row, "", "headers of docs/README.md"),
            ("docs/README.md", "| header |", "| file |", "headers of docs/README.md"),
            ("docs/adapters.md", "one, two2", "one, two", "two2 has no row in the table of docs/adapters.md that says"),
        ):
            with self.subTest(page=page, gone=gone):
                changes = {**ADAPTERS, page: ADAPTERS[page].replace(gone, left)}
                if gone == "| header |":
                    self.assertEqual(len(site.check_headers(self.tree(changes))), 2 + len(DOORS))
                else:
                    self.refuses(site.check_headers, changes, f"{two}: ", expected)

        less = {**ADAPTERS, "docs/README.md": ADAPTERS["docs/README.md"].replace("fusebox/retry.hpp", "fusebox/try.hpp")}
        self.refuses(site.check_headers, less, f"{path('retry')}: has no row in the table of headers of docs/README.md")

    def test_comparison(self):
        def page(*rows, after="\n[source]: https://example.org\n"):
            return {"docs/comparison.md": FEATURES + "".join(rows) + after}

        second = "\n| feature | lib |\n|---|---|\n| language | C++ |\n"
        retry = "| retry | [yes](r.md) | no |\n"
        for cell in ("[yes](x.md)", "[yes][source]", "not found", "no"):
            self.accepts(site.check_comparison, page(f"| retry | [yes](r.md) | {cell} |\n"))
        self.accepts(site.check_comparison, page(retry, second, "| retry | [yes][source] |\n"))
        for rows, expected in (
            (["| retry | [yes](r.md) | yes |\n"], "6: `yes` links to no source"),
            (["| retry | [yes](r.md) | [yes][sauce] |\n"], "6: nothing says where [sauce] is"),
            (["| retry | [yes](r.md) |\n"], "6: has 2 cells, not 3"),
            ([retry, second, "| retry | yes |\n"], "11: `yes` links to no source"),
            ([retry, second, "| retry | no | no |\n"], "11: has 3 cells, not 2"),
            ([retry, second, "| hedge | no |\n"], "11: `hedge` is no feature of the first table"),
        ):
            with self.subTest(rows=rows):
                self.refuses(site.check_comparison, page(*rows), f"docs/comparison.md:{expected}")

    def test_instructions(self):
        def page(*rows):
            head = "# Performance\n\n| path | instructions | what it is |\n|---|--:|---|\n"
            recorded = '{"paths": {"call/bare": 4.0, "open/throw": 12754.2}}'
            return {"docs/performance.md": head + "".join(rows), "benchmarks/instructions.json": recorded}

        bare, throw = "| `call/bare` | 4 | op |\n", "| `open/throw` | 12,754 | |\n"
        self.accepts(site.check_instructions)
        self.accepts(site.check_instructions, page(bare, throw))
        for rows, expected in (
            ([bare, throw.replace("12,", "13,")], ":6: open/throw takes 13754; "),
            ([bare.replace("4", "6"), throw], ":5: call/bare takes 6; "),
            ([bare], ": lacks open/throw of "),
            ([bare, throw, "| `call/none` | 1 | |\n"], ":7: benchmarks/instructions.json has no call/none"),
        ):
            with self.subTest(rows=rows):
                self.refuses(site.check_instructions, page(*rows), f"docs/performance.md{expected}")

    def test_scoreboard(self):
        self.accepts(site.check_scoreboard, board({}))
        self.refuses(site.check_scoreboard, board({"test": "B5 a hung"}), "docs/scoreboard.md:5:", "has no test `B5 a hung`")
        self.refuses(site.check_scoreboard, board({"test": "B6 a long name"}), "the test does not name B5")
        self.refuses(site.check_scoreboard, board({"path": "tests/unit/none.cpp"}), "tests/unit/none.cpp has no test")
        self.refuses(site.check_scoreboard, board({"issue": "https://example.org/1"}), "is no issue, rule and test")
        self.refuses(site.check_scoreboard, board({}, {}), "docs/scoreboard.md:6:", "stands twice")

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
""",
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

    def test_adapters(self):
        self.accepts(site.check_adapters)
        self.accepts(site.check_adapters, ADAPTERS)
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
                    self.assertEqual(len(site.check_adapters(self.tree(changes))), 2)
                else:
                    self.refuses(site.check_adapters, changes, f"{two}: ", expected)

    def test_comparison(self):
        for cell in ("[yes](x.md)", "[yes][source]", "not found", "no"):
            self.accepts(site.check_comparison, {"docs/comparison.md": f"{FEATURES}| retry | [yes](r.md) | {cell} |\n"})
        self.refuses(
            site.check_comparison,
            {"docs/comparison.md": f"{FEATURES}| retry | [yes](r.md) | yes |\n"},
            "docs/comparison.md:6: `yes` links to no source",
        )

    def test_scoreboard(self):
        self.accepts(site.check_scoreboard, board({}))
        self.refuses(site.check_scoreboard, board({"test": "B5 a hung"}), "docs/scoreboard.md:5:", "has no test `B5 a hung`")
        self.refuses(site.check_scoreboard, board({"test": "B6 a long name"}), "the test does not name B5")
        self.refuses(site.check_scoreboard, board({"path": "tests/unit/none.cpp"}), "tests/unit/none.cpp has no test")
        self.refuses(site.check_scoreboard, board({"issue": "https://example.org/1"}), "is no issue, rule and test")
        self.refuses(site.check_scoreboard, board({}, {}), "docs/scoreboard.md:6:", "stands twice")

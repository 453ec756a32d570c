"""scripts/rules.py: rules, the tests that name them, and the index."""

import os
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))

import rules  # noqa: E402

PAGE = f"""# Rules

| letter | about |
|---|---|
| B | breakers |

### B1 The first

It holds as R2 does.

### R2 `retry_if` decides

### N1 Of a letter that only this page knows

## Index

{rules.BEGIN}
{rules.END}
"""
GOOD = {
    rules.PAGE: PAGE,
    "README.md": "Rule B1, G++ 12, C++20, U+B1, -B9, B-tree, E2E, UTF8, `x.B9`, [a](rules.md#B9-x), 0xB9.\n",
    "docs/page.md": "Here B1 to R2 is no range; `R2`, (N1).\n",
    "include/fusebox/one.hpp": """// one.hpp: the first (B1).
template <class B7>
int f(B7 b = 10'000);  // don't (R2)
""",
    "examples/one.cpp": 'const char* url = "// B9";\n',
    "tests/unit/one.test.cpp": """// Not the name of a test: R2.
TEST_CASE("B1 is kept", "[B1]") {}
TEST_CASE("B1 R2 so are both, and N1") {}
TEST_CASE("a machine's test") { text("B9"); }
""",
    "tests/unit/deep/two.test.cpp": """TEST_CASE_METHOD(Fixture,
                 "B1, R2: a name of "
                 "two strings",
                 "[R2][N1]") {}
TEMPLATE_LIST_TEST_CASE("N1 for each type", "[N1]", Types) {}
""",
    "tests/relacy/three.relacy.cpp": "// A program is a test, and this its name (R2,\n// N1).\nint main() {}  // B1\n",
    "tests/lint/test_four.py": '''#!/usr/bin/env python3
"""Of nothing: B1."""


class Four(Test):
    """R2 has a class."""

    def test_b1(self):
        """B1 R2 and a function"""
        text("""B9 is a text""")


def test_deep(one, two):
    """Cites B1, names nothing."""
''',
    "tests/lint/test_five.py": '"""N1 of a whole file."""\n',
    "tests/support/help.hpp": "/// Cites B1, names nothing.\n",
}
TABLE = """| rule | tests that name it, by file |
|---|---|
| [B1](#b1-the-first) | [lint/test_four](../tests/lint/test_four.py) 1, \
[unit/deep/two](../tests/unit/deep/two.test.cpp) 1, [unit/one](../tests/unit/one.test.cpp) 2 |
| [R2](#r2-retry_if-decides) | [lint/test_four](../tests/lint/test_four.py) 2, \
[relacy/three.relacy](../tests/relacy/three.relacy.cpp) 1, \
[unit/deep/two](../tests/unit/deep/two.test.cpp) 1, [unit/one](../tests/unit/one.test.cpp) 1 |
| [N1](#n1-of-a-letter-that-only-this-page-knows) | [lint/test_five](../tests/lint/test_five.py) 1, \
[relacy/three.relacy](../tests/relacy/three.relacy.cpp) 1, \
[unit/deep/two](../tests/unit/deep/two.test.cpp) 2 |"""


class RulesTest(unittest.TestCase):
    def tree(self, changes=None):
        """The root of GOOD with these changes and a fresh index; a text of None removes a file."""
        root = tempfile.TemporaryDirectory()
        self.addCleanup(root.cleanup)
        self.put(root.name, {**GOOD, **(changes or {})})
        if os.path.exists(os.path.join(root.name, rules.PAGE)):
            rules.write(root.name)
        return root.name

    @staticmethod
    def put(root, files):
        for name, text in files.items():
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if text is not None:
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)

    def accepts(self, changes):
        self.assertEqual(rules.check(self.tree(changes)), [])

    def refuses(self, changes, *expected):
        self.assertEqual(rules.check(self.tree(changes)), list(expected))

    def test_a_good_tree_is_accepted(self):
        self.accepts({})

    def test_no_page(self):
        self.refuses({rules.PAGE: None}, "docs/rules.md: does not exist")

    def test_a_citation_of_an_undefined_rule(self):
        for path, text, line in [
            ("include/fusebox/two.hpp", "\n/// Does it (B9).\n", 2),
            ("include/fusebox/two.hpp", "int i = 65'535;  // don't: B9\n", 1),
            ("include/fusebox/two.hpp", "/* A\n   B9 */\n", 2),
            ("examples/two.cpp", "int main() {}  // R2, B9\n", 1),
            ("benchmarks/two.cpp", "// B9\n", 1),
            ("tests/static/two.cpp", "int i;\n// B9: not here.\n", 2),
            ("tests/unit/two.test.cpp", '\nTEST_CASE("B9 is none") {}\n', 2),
            ("tests/unit/two.test.cpp", 'TEST_CASE("B1 is one, and B9") {}\n', 1),
            ("tests/unit/two.test.cpp", 'TEST_CASE("B1 is one",\n          "[B1][B9]") {}\n', 2),
            ("tests/two.py", 'def test():\n    """B9 is none"""\n', 2),
            ("docs/two.md", "# Two\n\nSee B9.\n", 3),
            ("CONTRIBUTING.md", "`B9 a name`\n", 1),
            (rules.PAGE, PAGE.replace("as R2 does", "as B9 does"), 9),
        ]:
            with self.subTest(path=path, text=text):
                self.refuses({path: text}, f"{path}:{line}: cites B9, which docs/rules.md does not define")

    def test_a_range_cites_its_ends(self):
        expected = "docs/two.md:1: cites B9, which docs/rules.md does not define"
        for text in ["B1 to B9\n", "B1 – B9\n", "B1–B9\n"]:
            self.refuses({"docs/two.md": text}, expected)
        self.accepts(
            {
                rules.PAGE: PAGE.replace("### B1", "### B9 The last\n\n### B1"),
                "docs/two.md": "B1 to B9\n",
                "tests/two.cpp": 'TEST_CASE("B1 to B9: what lies between may be reserved") {}\n',
            }
        )

    def test_letters_of_no_rule_are_no_citations(self):
        self.accepts({"docs/two.md": "C1, X1 and M12 are no rules.\n"})

    def test_a_letter_of_the_library_is_a_citation_though_no_rule_has_it(self):
        self.refuses({"docs/two.md": "G1\n"}, "docs/two.md:1: cites G1, which docs/rules.md does not define")

    def test_a_rule_that_no_test_names(self):
        page = PAGE.replace("### R2", "### B2 The second\n\n### R2")
        expected = "docs/rules.md:11: no test names B2 at the beginning of its name"
        for path, text in {
            "tests/unit/two.test.cpp": 'TEST_CASE("B1 a name that has B2 later") {}\n',
            "tests/unit/three.test.cpp": 'TEST_CASE("B1 a tag alone", "[B2]") {}\n',
            "tests/unit/four.test.cpp": '// B2\nTEST_CASE("B1 a comment alone") {}\n',
            "tests/relacy/five.cpp": "// A program.\n\n// B2\n",
            "tests/support/six.hpp": "// B2\n",
            "examples/seven.cpp": "// B2\n",
        }.items():
            with self.subTest(path=path):
                self.refuses({rules.PAGE: page, path: text}, expected)

    def test_the_ways_to_name_several_rules(self):
        page = PAGE.replace("### R2", "### B2 The second\n\n### B3 The third\n\n### R2")
        for name in "B2 B3 x|B2, B3: x|B2 and B3 x|B2 to B3: x|B1 to B3 x|R2 B1 to B3, N1 x|B1 – B3".split("|"):
            with self.subTest(name=name):
                self.accepts({rules.PAGE: page, "tests/two.cpp": f'TEST_CASE("{name}") {{}}\n'})

    def test_a_rule_that_is_defined_twice(self):
        self.refuses(
            {rules.PAGE: PAGE.replace("### R2", "### B1 Again\n\n### R2")},
            "docs/rules.md:11: B1 is defined twice, first in line 7",
        )

    def test_an_index_that_is_out_of_date(self):
        root = self.tree()
        self.put(root, {"tests/unit/two.test.cpp": 'TEST_CASE("B1 one more") {}\n'})
        self.assertEqual(rules.check(root), ["docs/rules.md: the index is out of date: scripts/rules.py --write"])
        self.assertTrue(rules.write(root))
        self.assertEqual(rules.check(root), [])

    def test_a_page_without_a_place_for_the_index(self):
        expected = f"docs/rules.md: has no place for the index, between {rules.BEGIN} and {rules.END}"
        self.refuses({rules.PAGE: PAGE.replace(rules.END, "")}, expected)
        self.refuses({rules.PAGE: PAGE.replace(rules.BEGIN, rules.END)}, expected)
        root = self.tree({rules.PAGE: PAGE.replace(rules.BEGIN, "")})
        self.assertFalse(rules.write(root))

    def test_the_index(self):
        root = self.tree()
        page = rules.text_of(root, rules.PAGE)
        self.assertEqual(page, PAGE.replace(f"{rules.BEGIN}\n", f"{rules.BEGIN}\n\n{TABLE}\n\n"))
        rules.write(root)
        self.assertEqual(rules.text_of(root, rules.PAGE), page)

    def test_the_exit_status(self):
        null = open(os.devnull, "w", encoding="utf-8")
        self.addCleanup(null.close)
        self.addCleanup(setattr, sys, "stdout", sys.stdout)
        self.addCleanup(setattr, sys, "stderr", sys.stderr)
        sys.stdout = sys.stderr = null
        root = self.tree()
        self.assertEqual(rules.main(["--root", root]), 0)
        self.assertEqual(rules.main(["--root", root, "--write"]), 0)
        self.put(root, {"docs/two.md": "B9\n"})
        self.assertEqual(rules.main(["--root", root]), 1)
        self.put(root, {rules.PAGE: "# Rules\n"})
        self.assertEqual(rules.main(["--root", root, "--write"]), 1)


if __name__ == "__main__":
    unittest.main()

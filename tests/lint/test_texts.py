"""Pages, comments, the changelog."""

import unittest

from support import GOOD, HEADERS, LintTest, path

from lint import links, notes, prose


class Prose(LintTest):
    def test_a_good_tree(self):
        self.accepts(prose.check)

    def test_banned_phrases(self):
        for phrase in (
            "that there is",
            "That there are",
            "which, if any, is none",
            "where there is one",
            "where there is none",
            "Where there is no",
            "which this build has not",
            "is told of",
            "tells of",
            "tell of",
            "lets go of",
            "let go of",
        ):
            with self.subTest(phrase=phrase):
                said = phrase.removeprefix("which, if any")
                for page in ("README.md", "docs/guide.md", "docs/deep/page.md"):
                    self.refuses(prose.check, {page: f"# A\n\nSo {phrase} it.\n"}, f"{page}:3: ", said.split()[-1])
                text = HEADERS["retry"] + f"/// So {phrase} it.\n"
                self.refuses(prose.check, {path("retry"): text}, f"{path('retry')}:", said.split()[-1])

    def test_phrases_over_two_lines(self):
        self.refuses(prose.check, {"README.md": "# A\n\n- all\n  that there\n  is\n"}, "README.md:4: 'that there is'")
        text = HEADERS["retry"] + "  /// what it lets\n  /// go of\n"
        self.refuses(prose.check, {path("retry"): text}, f"{path('retry')}:", "'lets go of'")

    def test_what_was_written_stays(self):
        self.accepts(prose.check, {"CHANGELOG.md": "# Changes\n\n## [1.2.3]\n\nit tells of it\n"})

    def test_phrases_that_only_look_alike(self):
        text = "# A\n\nI told often that thereis one; whatthat there is; outlets go off; the third is none the worse.\n"
        self.accepts(prose.check, {"README.md": text})


class Links(LintTest):
    def test_a_good_tree(self):
        self.accepts(links.check)

    def test_links_that_lead_nowhere(self):
        for text, target, wrong in (
            ("[a](lost.md)", "lost.md", "docs/lost.md does not exist"),
            ("![a](lost.svg)", "lost.svg", "docs/lost.svg does not exist"),
            ("[![a](plot.svg)](lost.md)", "lost.md", "docs/lost.md does not exist"),
            ("[a](<lost.md>)", "<lost.md>".strip("<>"), "docs/lost.md does not exist"),
            ('[a](lost.md "title")', "lost.md", "docs/lost.md does not exist"),
            ("[a][b]\n\n[b]: lost.md", "lost.md", "docs/lost.md does not exist"),
            ('<img width="1" src="lost.svg">', "lost.svg", "docs/lost.svg does not exist"),
            ("[a](/docs/lost.md)", "/docs/lost.md", "docs/lost.md does not exist"),
            ("[a](../../README.md)", "../../README.md", "it leads out of the project"),
            ("[a](#lost)", "#lost", "docs/page.md has no heading #lost"),
            ("[a](guide.md#lost)", "guide.md#lost", "docs/guide.md has no heading #lost"),
            ("[a](guide.md#in-code)", "guide.md#in-code", "docs/guide.md has no heading #in-code"),
        ):
            with self.subTest(text=text):
                guide = "# Guide\n\n```sh\n# In code\n```\n"
                changes = {"docs/page.md": f"# P\n\n{text}\n", "docs/guide.md": guide, "README.md": "# A\n"}
                self.refuses(links.check, changes, "docs/page.md:", f"a link to {target}: {wrong}")

    def test_the_line_of_a_link(self):
        self.refuses(links.check, {"README.md": "# A\n\n```\n```\n\n[a](lost.md)\n"}, "README.md:6: ")

    def test_a_table_without_a_head(self):
        cut = "# A\n\n| a |\n|---|\n| b |\n\n| c |\n| d |\n"
        self.refuses(links.check, {"README.md": cut}, "README.md:7: ", "a table begins here without a head")
        self.accepts(links.check, {"README.md": cut.replace("|\n\n| c", "|\n| c") + "\n```\n| e |\n```\n"})

    def test_links_that_lead_somewhere(self):
        for text in (
            "[a](https://example.com/lost.md) <https://example.com> [b](mailto:a@example.com) [c](//example.com)",
            "[a](guide.md) [b](../README.md#a-library) [c](/README.md) [d](../examples) [e](../examples/one.cpp#L1)",
            "`[a](lost.md)` ``[`a`](lost.md)`` <!-- [a](lost.md) -->",
            "```cpp\nx[a](lost.md);\n```",
            "~~~\n[a](lost.md)\n~~~",
            "[a](my%20page.md) [b](<my page.md>)",
            '<a id="there"></a> [a](#there)',
            "## A `b::c`, [d](guide.md) *e*_f!\n\n[a](#a-bc-d-e_f)",
            "## Same\n\n## Same\n\n[a](#same) [b](#same-1)",
            "Under\n=====\n\n[a](#under)",
            "## Trailing ##\n\n[a](#trailing)",
        ):
            with self.subTest(text=text):
                self.accepts(links.check, {"docs/page.md": f"# P\n\n{text}\n", "docs/my page.md": "# My page\n"})


class Notes(LintTest):
    def test_a_good_tree(self):
        self.accepts(notes.check_words)
        self.accepts(notes.check_version)

    def test_work_notes(self):
        for note in ("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK"):
            for file in (path("retry"), "README.md", "docs/guide.md", "tests/x.cpp", "cmake/x.cmake", "scripts/x.py"):
                self.refuses(
                    notes.check_words,
                    {file: f"\n// {note}: later\n"},
                    f"{file}:2: a work note: // {note}: later",
                )

    def test_words_with_a_note_inside(self):
        self.accepts(notes.check_words, {"README.md": "# A\n\nHA" + "CKED\n"})

    def test_a_version_without_a_section(self):
        text = HEADERS["version"].replace("1.2.3", "1.2.4")
        self.refuses(notes.check_version, {path("version"): text}, "CHANGELOG.md: has no section for 1.2.4")
        self.refuses(notes.check_version, {"CHANGELOG.md": None}, "CHANGELOG.md: has no section for 1.2.3")

    def test_a_header_without_a_version(self):
        self.refuses(
            notes.check_version,
            {path("version"): GOOD[path("fwd")]},
            f"{path('version')}: defines no FUSEBOX_VERSION",
        )


if __name__ == "__main__":
    unittest.main()

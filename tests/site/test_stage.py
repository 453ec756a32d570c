"""What scripts/docs/site/stage.py changes on the pages, so that MkDocs reads them as forges do."""

import os
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts", "docs", "site"))

import sequence  # noqa: E402
import stage  # noqa: E402

DIAGRAM = """sequenceDiagram
  participant A as the caller
  participant B
  A->>B: call <op>
  Note over A,B: both
  B--xA: 503
"""


class Text(unittest.TestCase):
    def test_anchors_are_those_of_forges(self):
        text = "# A page\n\n## `retry`, twice\n\n```sh\n# no heading\n```\n\n## `retry`, twice\n"
        self.assertEqual(
            stage.with_anchors(text),
            "# A page {#a-page}\n\n## `retry`, twice {#retry-twice}\n\n```sh\n# no heading\n```\n\n"
            "## `retry`, twice {#retry-twice-1}\n",
        )

    def test_lists_get_four_columns_a_level(self):
        self.assertEqual(
            stage.with_lists("words:\n- one\n  goes on\n  - two\n\n    ```cpp\n    - code\n    ```\n1. three\n\n   more\n"),
            "words:\n\n- one\n    goes on\n    - two\n\n        ```cpp\n        - code\n        ```\n1. three\n\n    more\n",
        )

    def test_code_is_no_list(self):
        text = "```text\n- a\n  - b\n```\n"
        self.assertEqual(stage.with_lists(text), text)


class Addresses(unittest.TestCase):
    def setUp(self):
        self.stage = stage.Stage("/nowhere")

    def test_pages(self):
        self.assertEqual(self.stage.address("docs/retry.md", "errors.md#failure"), "errors.md#failure")
        self.assertEqual(self.stage.address("docs/retry.md", "../README.md"), "index.md")
        self.assertEqual(self.stage.address("README.md", "docs/README.md#headers"), "pages.md#headers")
        self.assertEqual(self.stage.address("docs/decisions/0005-fmt.md", "../errors.md"), "../errors.md")
        self.assertEqual(self.stage.address("docs/retry.md", "#here"), "#here")
        self.assertEqual(self.stage.address("docs/hedge.md", "img/storm-hedge.svg"), "img/storm-hedge.svg")
        self.assertEqual(self.stage.sources, set())

    def test_sources(self):
        self.assertEqual(self.stage.address("docs/retry.md", "../include/fusebox/retry.hpp"), "source/include/fusebox/retry.hpp.html")
        self.assertEqual(self.stage.address("docs/decisions/0005-fmt.md", "../../examples"), "../source/examples/index.html")
        self.assertEqual(self.stage.sources, {"include/fusebox/retry.hpp", "examples"})

    def test_what_does_not_exist(self):
        with self.assertRaisesRegex(stage.Wrong, "docs/retry.md: a link to none.md: docs/none.md does not exist"):
            self.stage.address("docs/retry.md", "none.md")

    def test_a_diagram_that_cannot_be_drawn(self):
        with self.assertRaisesRegex(stage.Wrong, "docs/retry.md: only sequence diagrams"):
            self.stage.page("docs/retry.md", "# A\n\n```mermaid\nflowchart LR\n```\n")

    def test_a_name_of_a_file_becomes_a_title(self):
        self.assertEqual(
            self.stage.with_links("docs/hedge.md", "[retry.md](retry.md#pitfalls), [that](retry.md), `[retry.md](retry.md)`"),
            "[Retry with backoff](retry.md#pitfalls), [that](retry.md), `[retry.md](retry.md)`",
        )

    def test_cited_rules_become_links(self):
        self.assertEqual(
            self.stage.with_rules("docs/decisions/0005-fmt.md", "so (B9, B2), `(B9)`, [x](B9), (Z99)"),
            "so ([B9](../rules.md#b9-a-rejection-records-no-outcome), [B2](../rules.md#b2-a-success-ends-the-failure-streak)), "
            "`(B9)`, [x](B9), (Z99)",
        )

    def test_a_block_of_code_has_its_language_alone(self):
        self.assertEqual(self.stage.page("docs/retry.md", "# A\n\n```cpp needs x/y.h\nf();\n```\n"), "# A {#a}\n\n```cpp\nf();\n```\n")

    def test_preambles_are_left_out(self):
        self.assertEqual(self.stage.page("docs/retry.md", "# A\n\n<!-- preamble\n[x](y)\n-->\nb\n"), "# A {#a}\n\nb\n")


class Navigation(unittest.TestCase):
    def test_every_page_of_the_project_is_in_it(self):
        def places(entries):
            for entry in entries:
                for value in entry.values() if isinstance(entry, dict) else (entry,):
                    yield from places(value) if isinstance(value, list) else (value,)

        made = stage.Stage("/nowhere")
        self.assertEqual(sorted(places(made.nav())), sorted(made.pages.values()))


class Diagrams(unittest.TestCase):
    def test_a_sequence(self):
        svg = sequence.draw(DIAGRAM)
        for part in ("the caller", "call &lt;op&gt;", 'class="note"', 'class="cross"', 'class="answer"',
                     "the caller to B: call &lt;op&gt;; the caller: both; B to the caller: 503"):
            self.assertIn(part, svg)
        self.assertNotIn("\n", svg)

    def test_words_have_room(self):
        names, steps = sequence.parse(DIAGRAM.replace("503", "a long answer that needs much room between the two"))
        boxes = [[label] for label in names.values()]
        near, far = sequence.centers(boxes, list(names), steps)
        self.assertGreater(far - near, 50 * sequence.CHAR)

    def test_what_cannot_be_drawn(self):
        for text in ("flowchart LR\n  A --> B\n", "", "sequenceDiagram\n  loop twice\n"):
            with self.assertRaises(sequence.Unknown):
                sequence.draw(text)


if __name__ == "__main__":
    unittest.main()

"""The single header: what stands in it, in which order, and what it refuses."""

import unittest

from support import HEADERS, LintTest, header, path

import single_header

LICENSE = {"LICENSE": "Some licence\n"}


class SingleHeader(LintTest):
    def make(self, changes=None):
        tree = self.tree({**LICENSE, **(changes or {})})
        parts = single_header.Parts(tree)
        return single_header.single(tree, parts), dict(single_header.forwards(tree, parts, "/out/fusebox.hpp"))

    def refused(self, changes, text):
        with self.assertRaises(single_header.Failed) as caught:
            self.make(changes)
        self.assertIn(text, str(caught.exception))

    def test_each_header_stands_once_behind_what_it_includes(self):
        text, _ = self.make()
        order = ["detail/macros", "version", "detail/throw", "circuit_breaker", "clock/concept", "clock", "registry"]
        at = [text.index(f"// fusebox/{name}.hpp: ") for name in order]
        for name in ("circuit_breaker", "registry"):
            self.assertLess(text.index("// fusebox/detail/macros.hpp: "), text.index(f"// fusebox/{name}.hpp: "))
        self.assertEqual(at[0], min(at))
        for name in HEADERS:
            self.assertEqual(text.count(f"// fusebox/{name}.hpp: "), 0 if name == "fusebox" else 1, name)

    def test_no_header_of_the_library_is_asked_for(self):
        text, _ = self.make()
        self.assertNotIn("#include <fusebox/", text)
        self.assertNotIn("#pragma once", text)

    def test_other_headers_are_included_once_unless_on_a_condition(self):
        body = "#ifdef ONE\n#include <thread>\n#endif\nint one();"
        text, _ = self.make(
            {
                path("clock"): header("clock", "clock/concept", "detail/ticks", "memory", rooms=["clock/concept"], body=body),
                path("retry/config"): header("retry/config", "/clock", "memory", "thread"),
            }
        )
        self.assertEqual(text.count("#include <memory>"), 1)
        self.assertEqual(text.count("#include <thread>"), 2)

    def test_licence_and_version(self):
        head = self.make()[0].partition("#if")[0]
        self.assertIn("// fusebox 1.2.3: ", head)
        self.assertIn("// Some licence\n", head)

    def test_other_doors_are_there_on_request(self):
        text, forwards = self.make()
        asked = text[text.index("// FUSEBOX_SINGLE_HEADER\n") :]
        self.assertIn("#if defined(FUSEBOX_WITH_FAKE_CLOCK) && !defined(FUSEBOX_SINGLE_TEST_FAKE_CLOCK)\n", asked)
        self.assertIn("// fusebox/test/fake_clock.hpp: ", asked)
        self.assertIn("FUSEBOX_WITH_FAKE_CLOCK", forwards["fusebox/test/fake_clock.hpp"])
        self.assertNotIn("FUSEBOX_WITH", forwards["fusebox/retry/config.hpp"])
        for forward in forwards.values():
            self.assertIn('#include "/out/fusebox.hpp"', forward)
        self.assertEqual(len(forwards), len(HEADERS))

    def test_what_two_doors_share(self):
        text, _ = self.make(
            {
                path("detail/both"): header("detail/both", "/clock"),
                path("adapters/one"): header("adapters/one", "detail/both"),
                path("adapters/two"): header("adapters/two", "detail/both"),
            }
        )
        self.assertEqual(text.count("// fusebox/detail/both.hpp: "), 1)
        self.assertIn("#if (defined(FUSEBOX_WITH_ONE) || defined(FUSEBOX_WITH_TWO)) && !defined(FUSEBOX_SINGLE_DETAIL_BOTH)", text)

    def test_what_is_refused(self):
        inside = "#ifdef ONE\n#include <fusebox/clock.hpp>\n#endif\nint one();"
        self.refused({path("registry"): header("registry", body=inside)}, "inside an #if")
        self.refused({path("clock"): header("clock", "/retry")}, "includes itself")
        self.refused({path("clock"): header("clock", "/gone")}, "does not exist")
        self.refused({path("detail/lost"): header("detail/lost")}, "no door includes detail/lost.hpp")
        self.refused({path("version"): HEADERS["version"].replace("#pragma once\n", "")}, "no #pragma once")
        self.refused(
            {path("test/one"): header("test/one"), path("adapters/one"): header("adapters/one")}, "share the macro"
        )


if __name__ == "__main__":
    unittest.main()

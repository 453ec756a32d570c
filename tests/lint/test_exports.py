"""The C++20 module exports every public name that needs no library but fmt, and nothing else."""

import unittest

from support import LintTest, header, path

from lint import exports


class Exports(LintTest):
    def module(self, changes=None):
        return exports.text(self.tree(changes))

    def test_a_good_tree(self):
        self.accepts(exports.check)
        self.accepts(exports.check, {exports.PATH: self.module()})

    def test_what_is_written(self):
        text = self.module({path("http"): header("http", "detail/macros", body="namespace http {\nint parse();\n}")})
        for line in (
            "#include <fusebox/fusebox.hpp>",
            "#include <fusebox/test/fake_clock.hpp>",
            "using fusebox::Breaker;",
            "using fusebox::Clock;",
            "using fusebox::State;",
            "using fusebox::http::parse;",
        ):
            self.assertIn(line, text.splitlines())
        for word in ("detail", "Loop", "Tick", "raise", "good"):
            self.assertNotIn(word, text)

    def test_adapters_stay_headers(self):
        adapter = {path("adapters/one"): header("adapters/one", "/retry", body="int adapted();")}
        self.assertEqual(self.module(adapter), self.module())

    def test_a_new_name(self):
        grown = header("registry", "memory", "/circuit_breaker", body="int one();\nint two();")
        self.refuses(
            exports.check, {exports.PATH: self.module(), path("registry"): grown}, "lacks `using fusebox::two;`", "--write"
        )

    def test_a_name_that_went(self):
        text = self.module().replace("using fusebox::Retry;", "using fusebox::Retry;\nusing fusebox::Retyr;")
        self.refuses(exports.check, {exports.PATH: text}, "has `using fusebox::Retyr;`, which is not public")

    def test_another_order(self):
        text = self.module().replace("using fusebox::Retry;\nusing fusebox::State;", "using fusebox::State;\nusing fusebox::Retry;")
        self.refuses(exports.check, {exports.PATH: text}, "not in order")


if __name__ == "__main__":
    unittest.main()

"""Which standard and third-party headers may be included where."""

import unittest

from support import LintTest, header, path

from lint import libraries


class Libraries(LintTest):
    def test_a_good_tree(self):
        self.accepts(libraries.check)

    def test_a_heavy_standard_header(self):
        self.refuses(
            libraries.check,
            {path("clock"): header("clock", "functional")},
            f"{path('clock')}:4: includes <functional>; clock reaches it, which must do without",
        )

    def test_a_heavy_standard_header_through_detail(self):
        text = header("detail/ticks", "detail/macros", "thread")
        self.refuses(libraries.check, {path("detail/ticks"): text}, f"{path('detail/ticks')}:5: includes <thread>")

    def test_a_heavy_standard_header_above(self):
        self.accepts(libraries.check, {path("health"): header("health", "/registry", "functional")})

    def test_fmt_where_it_is_not_for(self):
        self.refuses(
            libraries.check,
            {path("coro"): header("coro", "fmt/format.h")},
            f"{path('coro')}:4: includes <fmt/format.h>; fmt is for ",
        )
        self.accepts(libraries.check, {path("health"): header("health", "fmt/format.h")})
        self.accepts(libraries.check, {path("adapters/asio"): header("adapters/asio", "fmt/format.h")})

    def test_another_header_of_fmt(self):
        self.refuses(
            libraries.check,
            {path("format"): header("format", "fmt/core.h")},
            f"{path('format')}:4: includes <fmt/core.h>; only <fmt/format.h> is used",
        )

    def test_fmt_down_to_the_registry_through_detail(self):
        text = header("detail/ticks", "detail/macros", "fmt/format.h")
        self.refuses(
            libraries.check,
            {path("detail/ticks"): text},
            f"{path('detail/ticks')}:5: includes <fmt/format.h>",
        )

    def test_fmt_in_machinery_for_those_above(self):
        text = header("detail/validate", "fmt/format.h")
        self.accepts(
            libraries.check,
            {path("detail/validate"): text, path("health"): header("health", "/registry", "detail/validate")},
        )

    def test_the_json_of_the_library(self):
        self.accepts(libraries.check, {path("health"): header("health", "detail/json_writer")})

    def test_a_json_library(self):
        text = header("adapters/asio").replace("#pragma once\n", "#pragma once\n#include <nlohmann/json.hpp>\n")
        self.refuses(
            libraries.check,
            {path("adapters/asio"): text},
            f"{path('adapters/asio')}:3: includes <nlohmann/json.hpp>; a JSON library belongs in adapters/nlohmann_json",
        )
        self.accepts(libraries.check, {path("adapters/nlohmann_json"): text})
        self.accepts(libraries.check, {path("adapters/nlohmann_json/document"): text})


if __name__ == "__main__":
    unittest.main()

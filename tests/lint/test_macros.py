"""Macros and the namespace."""

import unittest

from support import HEADERS, MACROS, LintTest, header, path

from lint import macros


class Macros(LintTest):
    def test_a_good_tree(self):
        self.accepts(macros.check)

    def test_a_macro_without_the_prefix(self):
        text = MACROS + "/// INLINE: for the hot path.\n#define INLINE inline\n"
        self.refuses(
            macros.check,
            {path("detail/macros"): text},
            f"{path('detail/macros')}:8: defines INLINE",
            "begins with FUSEBOX_",
        )

    def test_a_macro_elsewhere(self):
        text = HEADERS["registry"].replace("#pragma once\n", "#pragma once\n// FUSEBOX_X: one.\n#  define FUSEBOX_X 1\n")
        self.refuses(
            macros.check, {path("registry"): text}, f"{path('registry')}:4: defines FUSEBOX_X; macros are defined in "
        )
        self.accepts(macros.check, {path("registry"): text}, MACROS_ELSEWHERE={"FUSEBOX_X": "why"})

    def test_a_macro_in_two_files(self):
        text = HEADERS["version"] + "// FUSEBOX_END_NAMESPACE: again.\n#define FUSEBOX_END_NAMESPACE }\n"
        self.refuses(
            macros.check,
            {path("version"): text},
            f"{path('version')}:10: defines FUSEBOX_END_NAMESPACE, as {path('detail/macros')} does; a macro is defined in one",
        )

    def test_a_macro_in_two_branches(self):
        text = MACROS + "/// FUSEBOX_X: one.\n#if A\n#define FUSEBOX_X 1\n#else\n#define FUSEBOX_X 2\n#endif\n"
        self.accepts(macros.check, {path("detail/macros"): text})

    def test_a_macro_without_a_comment(self):
        text = MACROS + "#define FUSEBOX_X(y) y\n"
        self.refuses(
            macros.check,
            {path("detail/macros"): text},
            f"{path('detail/macros')}:7: defines FUSEBOX_X; no comment there",
        )
        self.accepts(macros.check, {path("detail/macros"): f"{text}// FUSEBOX_Y, _X: one.\n"})
        for comment in ("// FUSEBOX_Y, _Z: one.", "// X: one.", "// E_X_Y: one.", '#error "FUSEBOX_X"'):
            self.refuses(macros.check, {path("detail/macros"): f"{text}{comment}\n"}, "no comment there")

    def test_a_misspelt_macro(self):
        text = header("registry", body="#if FUSEBOX_EXEPTIONS\nint x;\n#endif")
        self.refuses(
            macros.check,
            {path("registry"): text},
            f"{path('registry')}:7: uses FUSEBOX_EXEPTIONS, which no header defines",
        )

    def test_macros_in_comments_and_strings_are_no_macros(self):
        self.accepts(
            macros.check,
            {path("registry"): header("registry", body='// #define A\nconst char* a = "FUSEBOX_A";')},
        )

    def test_the_namespace_by_hand(self):
        for line in ("namespace fusebox {}", "namespace fusebox::inline v0 {}", "namespace fb = fusebox;"):
            text = header("registry") + line + "\n"
            self.refuses(
                macros.check,
                {path("registry"): text},
                f"{path('registry')}:10: opens namespace fusebox by hand",
            )
        self.accepts(macros.check, {path("registry"): header("registry") + "// namespace fusebox {\n"})

    def test_a_namespace_that_does_not_end(self):
        text = header("registry").replace("FUSEBOX_END_NAMESPACE\n", "}\n")
        self.refuses(
            macros.check, {path("registry"): text}, f"{path('registry')}: 1 FUSEBOX_BEGIN_NAMESPACE and 0 FUSEBOX_END"
        )

    def test_a_header_without_the_namespace(self):
        text = "// fusebox/registry.hpp: nothing.\n#pragma once\n"
        self.accepts(macros.check, {path("registry"): text})
        text += "int one();\n"
        self.refuses(macros.check, {path("registry"): text}, f"{path('registry')}: has no FUSEBOX_BEGIN_NAMESPACE")

    def test_an_exception_that_is_not_needed(self):
        self.refuses(macros.check, {}, "MACROS_ELSEWHERE lists 'FUSEBOX_X'", MACROS_ELSEWHERE={"FUSEBOX_X": "why"})


if __name__ == "__main__":
    unittest.main()

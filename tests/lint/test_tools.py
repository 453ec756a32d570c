"""The checks that other programs do, and the runner."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import unittest
from unittest import mock

from support import HEADERS, ROOT, SCRIPTS, DiskTest, LintTest, header, path

from lint import budget, rules_cited, style, tools


def read(*names):
    with open(os.path.join(ROOT, *names), encoding="utf-8") as file:
        return file.read()


class ToolTest(DiskTest):
    def setUp(self):
        quiet = contextlib.redirect_stdout(io.StringIO())
        quiet.__enter__()
        self.addCleanup(quiet.__exit__, None, None, None)

    def without(self, check, *names):
        """The check where these programs are not installed: a developer is told, CI fails."""
        find = shutil.which
        with mock.patch("shutil.which", lambda name: None if name.startswith(names) else find(name)):
            with mock.patch.dict(os.environ):
                os.environ.pop("CI", None)
                self.accepts(check)
                os.environ["CI"] = "true"
                self.refuses(check, {}, f"lint: {names[0]}", "is not installed")


@unittest.skipUnless(shutil.which("g++"), "no g++")
class Budget(ToolTest):
    def test_a_good_tree(self):
        self.accepts(budget.check, {path("format"): header("format", "/retry")})

    def test_a_header_above_its_budget(self):
        text = HEADERS["retry"] + "int x;\n" * 100
        self.refuses(
            budget.check,
            {path("retry"): text},
            f"{path('retry')}: ",
            "preprocessed lines; the budget is 90",
            BUDGET={"retry": 90},
        )

    def test_a_header_that_does_not_preprocess(self):
        changes = {path("permit"): header("permit", "lost_and_gone")}
        self.refuses(budget.check, changes, f"{path('permit')}: does not preprocess", LIGHT=-1, BUDGET={"permit": 1})
        self.refuses(budget.check, changes, "include: does not preprocess", BUDGET={})

    def test_fmt_through_another_library(self):
        changes = {path("permit"): header("permit", "library.h"), "include/library.h": "#include <fmt/other.h>\n"}
        changes["include/fmt/other.h"] = ""
        self.refuses(budget.check, changes, "include: a header of layer 5 or lower reaches fmt")

    def test_a_header_that_is_not_there_yet(self):
        self.accepts(budget.check, BUDGET={"bulkhead": 1})

    def test_no_compiler(self):
        self.without(budget.check, "g++")


class Format(ToolTest):
    config = {".clang-format": read(".clang-format")}

    @unittest.skipUnless(shutil.which("clang-format-19"), "no clang-format-19")
    def test_the_format(self):
        good = {file: None for file in self.tree_files()}
        good = {**good, **self.config, "tests/x.cpp": "int main() {}\n"}
        self.accepts(style.check_format, good)
        bad = {**good, "tests/x.cpp": "int f();\nint  main () {}\n"}
        self.refuses(style.check_format, bad, "tests/x.cpp: not formatted (lines 2): make format")
        tree = self.tree(bad)
        style.fix_format(tree)
        with open(os.path.join(tree.root, "tests/x.cpp"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "int f();\nint main() {}\n")
        broken = {**good, ".clang-format": "BasedOnStyle: Nobody\n"}
        self.refuses(style.check_format, broken, "clang-format: ", "Nobody")

    def tree_files(self):
        return self.tree().files("include", "tests", "examples")

    def test_no_clang_format(self):
        self.without(style.check_format, "clang-format")
        with mock.patch.object(tools, "find", lambda *_: None):
            style.fix_format(self.tree())

    def test_another_clang_format(self):
        other = subprocess.CompletedProcess([], 0, "clang-format version 14.0.6\n", "")
        with mock.patch.dict(os.environ, {"CI": "true"}), mock.patch.object(tools, "run", lambda *_, **__: other):
            self.refuses(style.check_format, {}, "lint: clang-format 19 is not installed")


class Names(ToolTest):
    config = {".clang-tidy": read(".clang-tidy"), path("format"): None, path("fusebox"): None}

    def test_the_name_of_a_concept(self):
        text = header("clock/concept", body="template <class C>\nconcept is_clock = true;")
        with mock.patch.object(tools, "find", lambda *_: None), mock.patch.dict(os.environ):
            os.environ.pop("CI", None)
            self.refuses(
                style.check_names,
                {path("clock/concept"): text},
                f"{path('clock/concept')}:7: invalid case style for concept 'is_clock'",
            )

    @unittest.skipUnless(shutil.which("clang-tidy-14") or shutil.which("clang-tidy"), "no clang-tidy")
    def test_clang_tidy(self):
        good = {**self.config, path("adapters/x"): header("adapters/x", "detail/macros")}
        self.accepts(style.check_names, good)
        bad = {**good, path("registry"): header("registry", "/clock", body="int Camel();")}
        self.refuses(style.check_names, bad, f"{path('registry')}:8: invalid case style for function 'Camel'")
        wrong = {**good, path("registry"): header("registry", "/clock", body="int x = lost();\nint Camel();")}
        self.refuses(style.check_names, wrong, f"{path('registry')}:8: use of undeclared identifier 'lost'")
        self.refuses(style.check_names, {**good, ".clang-tidy": "Checks: [\n"}, "clang-tidy: ")

    def test_an_adapter_without_its_library(self):
        lost = {**self.config, path("adapters/x"): header("adapters/x", "lost")}
        said = io.StringIO()
        run = tools.run

        def only_compile(tree, command, **more):
            return run(tree, command, **more) if command[0] == "g++" else subprocess.CompletedProcess([], 0, "", "")

        with mock.patch.object(tools, "find", lambda name, *_: name), mock.patch.dict(os.environ):
            with mock.patch.object(tools, "run", only_compile):
                os.environ.pop("CI", None)
                with contextlib.redirect_stdout(said):
                    self.accepts(style.check_names, lost)
                self.assertEqual(said.getvalue(), f"   skipped: the library of {path('adapters/x')} is not installed\n")
                os.environ["CI"] = "true"
                self.refuses(style.check_names, lost, f"lint: the library of {path('adapters/x')} is not installed")

    def test_the_folder_of_a_library(self):
        for works, expected in (("pkg-config", ["-I/pq"]), ("pg_config", ["-I/pg"]), ("", [])):
            answers = {"pkg-config": "-I/pq \n", "pg_config": "/pg\n"}
            run = lambda _, command: subprocess.CompletedProcess([], command[0] != works, answers[command[0]], "")  # noqa: E731
            with mock.patch.object(tools, "run", run), mock.patch.object(tools, "find", lambda name: name):
                self.assertEqual(tools.folders(None), expected)
        with mock.patch.object(tools, "find", lambda name: None):
            self.assertEqual(tools.folders(None), [])

    def test_no_clang_tidy(self):
        self.without(style.check_names, "clang-tidy")


class Rules(LintTest):
    def test_what_rules_py_finds(self):
        with mock.patch.object(rules_cited.rules, "check", lambda root: iter([f"{root}: B99 is no rule"])):
            self.refuses(rules_cited.check, {}, "B99 is no rule")


class Runner(ToolTest):
    def lint(self, *arguments):
        command = [sys.executable, os.path.join(SCRIPTS, "lint.py"), *arguments]
        return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)

    def test_a_named_check_of_another_tree(self):
        tree = self.tree()
        result = self.lint("--root", tree.root, "links", "words")
        self.assertEqual((result.returncode, result.stdout), (0, "lint: links\nlint: words\nlint: clean\n"))

    def test_problems(self):
        tree = self.tree({"README.md": "[a](lost.md)\n"})
        result = self.lint("--root", tree.root, "links")
        self.assertEqual(result.returncode, 1)
        self.assertIn(
            "   README.md:1: a link to lost.md: lost.md does not exist\nlint: 1 problem(s)\n",
            result.stdout,
        )

    def test_an_unknown_check(self):
        result = self.lint("spelling")
        self.assertEqual(result.returncode, 2)
        self.assertIn("lint: unknown check spelling; known: layers, ", result.stderr)

    def test_the_help_names_every_check(self):
        result = self.lint("--help")
        self.assertEqual(result.returncode, 0)
        names = "layers libraries doors public macros sizes mirror rules prose links words version budget format names"
        for name in names.split():
            self.assertRegex(result.stdout, rf"(?m)^{name} +\w+")


if __name__ == "__main__":
    unittest.main()

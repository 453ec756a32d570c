"""The version is the same wherever it stands."""

import unittest

from support import LintTest

from lint import notes

PORT = "packaging/vcpkg/ports/fusebox/vcpkg.json"


class Version(LintTest):
    def test_a_good_tree(self):
        self.accepts(notes.check_version)
        self.accepts(notes.check_version, {"meson.build": "  version: '1.2.3',\n", PORT: '  "version": "1.2.3",\n'})

    def test_the_changelog(self):
        self.refuses(notes.check_version, {"CHANGELOG.md": "## [1.2.2]\n"}, "CHANGELOG.md", "no section for 1.2.3")

    def test_files_of_other_tools(self):
        self.refuses(notes.check_version, {"meson.build": "  version: '1.2.2',\n"}, "meson.build", "1.2.3")
        self.refuses(notes.check_version, {PORT: '  "version": "1.3.0",\n'}, "vcpkg.json", "1.2.3")


if __name__ == "__main__":
    unittest.main()

"""Doors: what they say and give, and that users need nothing else."""

import unittest

from support import GOOD, HEADERS, LintTest, header, include, path

from lint import doors


class Doors(LintTest):
    def test_a_good_tree(self):
        self.accepts(doors.check)

    def test_a_header_that_begins_with_another_name(self):
        text = header("clock/concepts", "detail/macros")
        self.refuses(doors.check, {path("clock/concept"): text}, f"{path('clock/concept')}:1: begins with its name")

    def test_a_banner_without_a_room(self):
        text = header("retry", "retry/config")
        self.refuses(
            doors.check,
            {path("retry"): text},
            f"{path('retry')}:1: ",
            "does not name its room retry/config.hpp",
        )

    def test_a_banner_with_a_room_that_does_not_exist(self):
        text = header("retry", "retry/config", rooms=["retry/config", "retry/budget"])
        self.refuses(
            doors.check,
            {path("retry"): text},
            f"{path('retry')}:3: ",
            "retry/budget.hpp, which is no room of it",
        )

    def test_a_banner_with_machinery(self):
        text = header("retry", "retry/config", rooms=["retry/config", "retry/detail/loop"])
        self.refuses(
            doors.check,
            {path("retry"): text},
            f"{path('retry')}:3: ",
            "retry/detail/loop.hpp, which is no room",
        )

    def test_a_banner_may_name_other_doors(self):
        text = header("registry", "/circuit_breaker", rooms=["retry/config", "adapters/registry/x"])
        self.accepts(doors.check, {path("registry"): text})

    def test_a_later_comment_is_no_banner(self):
        text = header("retry", "retry/config") + "// retry/config.hpp\n"
        self.refuses(
            doors.check,
            {path("retry"): text},
            f"{path('retry')}:1: ",
            "does not name its room retry/config.hpp",
        )

    def test_a_door_without_its_room(self):
        text = header("retry", "/clock", rooms=["retry/config"])
        self.refuses(
            doors.check,
            {path("retry"): text},
            f"{path('retry')}: does not include its room retry/config.hpp",
        )

    def test_a_room_through_another_room(self):
        text = header("retry", "retry/detail/loop", rooms=["retry/config"])
        self.accepts(doors.check, {path("retry"): text})

    def test_a_room_without_a_door(self):
        self.refuses(
            doors.check,
            {path("hedge/config"): header("hedge/config")},
            f"{path('hedge/config')}: its door {path('hedge')} does not exist",
        )

    def test_a_door_that_the_umbrella_forgets(self):
        self.refuses(
            doors.check,
            {path("health"): header("health")},
            f"{path('fusebox')}: does not include the door health.hpp",
        )
        self.accepts(doors.check, {path("adapters/asio"): header("adapters/asio"), path("coro"): header("coro")})

    def test_a_room_in_the_umbrella(self):
        for name in ("retry/config", "test/fake_clock"):
            text = HEADERS["fusebox"] + include(name, export=True) + "\n"
            self.refuses(doors.check, {path("fusebox"): text}, f"{path('fusebox')}:11: includes {name}.hpp")

    def test_no_umbrella(self):
        self.accepts(doors.check, {path("fusebox"): None, "examples/one.cpp": None})

    def test_an_umbrella_without_pragmas(self):
        text = HEADERS["fusebox"].replace("  // IWYU pragma: export", "", 1)
        self.refuses(doors.check, {path("fusebox"): text}, f"{path('fusebox')}:4: without `// IWYU pragma: export`")

    def test_users_that_include_a_room(self):
        for page in ("examples/one.cpp", "README.md", "docs/guide.md", "docs/deep/page.md"):
            text = GOOD.get(page, "# Page\n")
            changes = {page: f"{include('retry/config')}\n{text}"}
            self.refuses(
                doors.check,
                changes,
                f"{page}:1: includes <fusebox/retry/config.hpp>; users include doors: retry.hpp",
            )
            self.accepts(doors.check, changes, INCLUDES_ROOMS={page: "why"})

    def test_users_that_include_machinery(self):
        changes = {"examples/one.cpp": include("detail/throw")}
        self.refuses(doors.check, changes, "examples/one.cpp:1: includes <fusebox/detail/throw.hpp>")

    def test_users_that_include_what_does_not_exist(self):
        changes = {"examples/one.cpp": include("/error")}
        self.refuses(doors.check, changes, "examples/one.cpp:1: includes <fusebox/error.hpp>, which does not exist")

    def test_an_exception_that_is_not_needed(self):
        self.refuses(doors.check, {}, "INCLUDES_ROOMS lists 'docs/guide.md'", INCLUDES_ROOMS={"docs/guide.md": "why"})


if __name__ == "__main__":
    unittest.main()

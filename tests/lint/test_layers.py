"""Which header may include which."""

import unittest

from support import LAYERS, LintTest, header, path

from lint import layers


class Layers(LintTest):
    def test_a_good_tree(self):
        self.accepts(layers.check)

    def test_a_header_without_a_place(self):
        changes = {
            path("detail/new"): header("detail/new"),
            path("registry"): header("registry", "detail/new"),
            path("retry"): header("retry", "detail/new", "detail/throw"),
        }
        self.refuses(
            layers.check,
            changes,
            "detail/new.hpp: not in the layout: give 'detail/new' a place in LAYERS of scripts/lint/layout.py",
        )
        self.refuses(layers.check, {path("odd/room"): header("odd/room")}, "odd/room.hpp: ", "give 'odd' a place")

    def test_an_upward_include(self):
        text = header("clock", "clock/concept", "detail/ticks", "/permit", rooms=["clock/concept"])
        permit = {path("permit"): header("permit")}
        self.refuses(
            layers.check, {path("clock"): text, **permit}, f"{path('clock')}:7: ", "upward, from layer 2 to layer 3"
        )

    def test_an_upward_include_inside_detail(self):
        text = header("detail/ticks", "detail/macros", "/clock")
        problems = layers.check(self.tree({path("detail/ticks"): text}))
        self.assertTrue(any("upward, from layer 1 to layer 2" in problem for problem in problems), problems)
        self.assertTrue(any("a cycle of includes: " in problem for problem in problems), problems)

    def test_an_upward_include_of_a_room_with_a_place_of_its_own(self):
        text = header("clock/concept", "/backoff")
        self.refuses(
            layers.check,
            {path("clock/concept"): text, path("backoff"): header("backoff")},
            f"{path('clock/concept')}:4: ",
            "upward, from layer 1 to layer 2",
        )

    def test_a_room_with_a_place_of_its_own_and_what_is_above_in_its_door(self):
        text = header("clock/concept", "clock/detail/source")
        self.refuses(
            layers.check,
            {path("clock/concept"): text, path("clock/detail/source"): header("clock/detail/source")},
            f"{path('clock/concept')}:4: ",
            "upward, from layer 1 to layer 2",
        )

    def test_a_sideways_include(self):
        for name in ("circuit_breaker", "circuit_breaker/config"):
            self.refuses(
                layers.check,
                {path(name): header(name, "detail/throw", "detail/ticks", "retry/config")},
                f"{path(name)}:6: ",
                "sideways",
                NEVER_TOGETHER=(),
            )

    def test_a_sideways_include_inside_detail(self):
        text = header("detail/ticks", "detail/throw")
        self.refuses(layers.check, {path("detail/ticks"): text}, f"{path('detail/ticks')}:4: ", "sideways")

    def test_an_earlier_step_of_the_layer_may_be_included(self):
        text = header("detail/validate", "detail/throw")
        users = {path(name): header(name, "detail/validate", "detail/ticks") for name in ("permit", "backoff")}
        self.accepts(layers.check, {path("detail/validate"): text, **users})

    def test_a_room_includes_rooms_of_its_door(self):
        room = header("retry/result", "retry/config", "retry/detail/loop")
        self.accepts(layers.check, {path("retry/result"): room})

    def test_the_umbrella_in_a_header(self):
        text = header("registry", "/circuit_breaker", "/fusebox")
        problems = layers.check(self.tree({path("registry"): text}))
        self.assertIn(f"{path('registry')}:5: includes the umbrella; a header includes only what it uses", problems)

    def test_a_header_that_does_not_exist(self):
        self.refuses(
            layers.check,
            {path("registry"): header("registry", "/bulkhead")},
            f"{path('registry')}:4: includes <fusebox/bulkhead.hpp>, which does not exist",
        )

    def test_a_relative_include(self):
        text = header("registry").replace("#pragma once\n", '#pragma once\n#include "circuit_breaker.hpp"\n')
        self.refuses(layers.check, {path("registry"): text}, f'{path("registry")}:3: includes "circuit_breaker.hpp"')

    def test_machinery_of_another_door(self):
        changes = {path("registry"): header("registry", "retry/detail/loop")}
        self.refuses(
            layers.check,
            changes,
            f"{path('registry')}:4: ",
            "<fusebox/retry/detail/loop.hpp>, machinery of retry alone",
        )
        self.accepts(layers.check, changes, FRIENDS={("registry", "retry/detail/loop"): "why"})

    def test_shared_machinery_for_one_door(self):
        changes = {path("circuit_breaker"): header("circuit_breaker", "detail/ticks")}
        self.refuses(layers.check, changes, f"{path('detail/throw')}: only retry uses it: move it to")
        self.accepts(layers.check, changes, USED_BY_ONE_DOOR={"detail/throw": "why"})

    def test_rooms_of_one_door_are_one_user(self):
        changes = {
            path("circuit_breaker"): header("circuit_breaker", "detail/ticks"),
            path("retry/config"): header("retry/config", "/clock", "detail/throw"),
        }
        self.refuses(layers.check, changes, f"{path('detail/throw')}: only retry uses it")

    def test_shared_machinery_for_no_door(self):
        self.refuses(
            layers.check, {path("detail/validate"): header("detail/validate")}, "detail/validate.hpp: no door uses it"
        )

    def test_shared_machinery_that_doors_use_through_shared_machinery(self):
        changes = {
            path("circuit_breaker"): header("circuit_breaker", "detail/validate", "detail/ticks"),
            path("retry"): header("retry", "detail/validate"),
            path("detail/validate"): header("detail/validate", "detail/throw"),
        }
        self.accepts(layers.check, changes)

    def test_a_cycle(self):
        changes = {
            path("retry/config"): header("retry/config", "retry/result"),
            path("retry/result"): header("retry/result", "retry/config"),
        }
        self.refuses(layers.check, changes, "retry/config -> retry/result -> retry/config", "a cycle of includes")

    def test_a_cycle_in_detail(self):
        changes = {
            path("detail/validate"): header("detail/validate", "detail/throw"),
            path("detail/throw"): header("detail/throw", "detail/validate"),
        }
        problems = layers.check(self.tree(changes))
        self.assertEqual(len(problems), 2, problems)
        self.assertTrue(any("a cycle of includes: " in problem for problem in problems), problems)

    def test_a_door_and_its_room_in_a_cycle(self):
        changes = {path("retry/config"): header("retry/config", "/retry")}
        problems = layers.check(self.tree(changes))
        self.assertEqual([problem for problem in problems if "a cycle of includes" not in problem], [])
        self.assertTrue(problems)

    def test_policies_that_meet(self):
        """Also if the layers allow it."""
        policies = ("retry", "circuit_breaker")
        over = tuple(policies if "retry" in str(steps) else steps for steps in LAYERS)
        self.refuses(
            layers.check,
            {path("circuit_breaker"): header("circuit_breaker", "detail/throw", "detail/ticks", "retry/config")},
            f"{path('circuit_breaker')}: reaches retry; the two never include each other",
            LAYERS=over,
        )

    def test_an_exception_that_is_not_needed(self):
        for name, entry in (("FRIENDS", ("retry", "x/detail/y")), ("USED_BY_ONE_DOOR", "detail/throw")):
            self.refuses(
                layers.check,
                {},
                f"scripts/lint/layout.py: {name} lists {entry!r}",
                **{name: {entry: "why"}},
            )


if __name__ == "__main__":
    unittest.main()

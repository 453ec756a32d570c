"""L10 The public names and signatures: api/fusebox.txt, and the changelog's word for each change."""

import os
import unittest

from support import HEADERS, ROOT, LintTest, header, include, path

from lint import api
from lint.tree import Tree

BODY = """/// A breaker.
enum class Mood : unsigned char { calm, angry = 4, furious, mad = angry };

struct BreakerConfig {
  int threshold = 5;  ///< how many
  std::chrono::nanoseconds wait{
      0};
  const char* text = "a: b; {c}";
  std::function<bool(const std::string& name)> reset = {};
  friend bool operator==(const BreakerConfig&, const BreakerConfig&) = default;

 private:
  int hidden = 1;
};

namespace detail {
template <class Self, class Base>
class Setters : public Base {
 public:
  Self with(int value) const;
};
class Data {
 public:
  [[nodiscard]] int data() const noexcept { return 1; }

 private:
  int secret();
};
}  // namespace detail

template <class T>
class FUSEBOX_API Breaker final : public detail::Setters<Breaker<T>, detail::Data> {
 public:
  explicit Breaker(std::string name, BreakerConfig config = {}) : config_{config}, name_(name) {}
  Breaker(const Breaker&) = delete;
  template <class Op, class... Args>
    requires(sizeof...(Args) < 3)
  FUSEBOX_DETAIL_INLINE decltype(auto) execute(Op&& op, Args&&... args) {
    return 1;
  }
  [[nodiscard]] Mood mood() const noexcept { return Mood::calm; }
#if FUSEBOX_DETAIL_STOP
  void stop(int token);
#endif
  struct Part {
    int one = 1;
  };

 private:
  BreakerConfig config_;
};

Breaker(std::string) -> Breaker<int>;

template <class C>
concept Clocked = requires(const C& clock) {
  { clock.now() } -> std::same_as<int>;
};

[[nodiscard]] inline int (*chosen)(int) = nullptr;
using Handler = int (*)(const char* text);
void Outside::member() {}
"""
LINES = """\
Breaker: Breaker(std::string) -> Breaker<int>
Breaker: template <class T> class Breaker final : public detail::Setters<Breaker<T>, detail::Data>
Breaker::Breaker: Breaker(const Breaker&) = delete
Breaker::Breaker: explicit Breaker(std::string name, BreakerConfig config = {})
Breaker::Part: struct Part
Breaker::Part::one: int one = 1
Breaker::data: int data() const noexcept  [from detail::Data]
Breaker::execute: template <class Op, class... Args> requires(sizeof...(Args) < 3) \
decltype(auto) execute(Op&& op, Args&&... args)
Breaker::mood: Mood mood() const noexcept
Breaker::stop: void stop(int token)  [if FUSEBOX_DETAIL_STOP]
Breaker::with: Self with(int value) const  [from detail::Setters]
BreakerConfig: struct BreakerConfig
BreakerConfig::operator==: friend bool operator==(const BreakerConfig&, const BreakerConfig&)
BreakerConfig::reset: std::function<bool(const std::string& name)> reset = {}
BreakerConfig::text: const char* text = "a: b; {c}"
BreakerConfig::threshold: int threshold = 5
BreakerConfig::wait: std::chrono::nanoseconds wait{0}
Clocked: template <class C> concept Clocked = requires(const C& clock) {{clock.now() } -> std::same_as<int>; }
Handler: using Handler = int (*)(const char* text)
Mood: enum class Mood : unsigned char
Mood::angry: = 4
Mood::calm: = 0
Mood::furious: = 5
Mood::mad: = angry
chosen: int (*chosen)(int) = nullptr
""".splitlines()
TEXT = header("retry", "retry/config", rooms=["retry/config"], body=BODY)
CHANGES = "# Changes\n\n## [Unreleased]\n\n- An old entry of the `Breaker`.\n\n## [1.2.3]\n\n- `mood` and `Mood`.\n"


class Api(LintTest):
    base = ""  # the record of the release, made once

    def trees(self, text=TEXT, changes=CHANGES, more=None):
        """(the tree at the release, the tree with this retry.hpp and changelog) with its api/fusebox.txt renewed."""
        if not Api.base:
            old = self.tree({path("retry"): TEXT, "CHANGELOG.md": CHANGES})
            Api.base = api.render_base(api.render(old), "1.2.3", CHANGES)
        files = {path("retry"): text, "CHANGELOG.md": changes, api.BASE: Api.base, **(more or {})}
        files[api.NOW] = api.render(self.tree(files))
        return self.tree(files)

    def changed_to(self, before, after, *expected):
        """A change is refused, with what went and what came, until an entry names it."""
        self.assertIn(before, TEXT)
        text = TEXT.replace(before, after, 1)
        problems = api.check(self.trees(text))
        self.assertEqual(len(problems), 1, problems)
        for one in expected:
            self.assertIn(one, problems[0])
        name = problems[0].split("names ")[1].split(",")[0]
        entry = f"- An old entry of the `Breaker`.\n- `{name}` is\n  another one.\n"
        self.assertEqual(api.check(self.trees(text, CHANGES.replace("- An old entry of the `Breaker`.\n", entry))), [])

    def test_the_lines(self):
        found = api.render(self.tree({path("retry"): TEXT})).partition("[retry.hpp] given by retry.hpp, fusebox.hpp\n")[2]
        self.assertEqual(found.partition("\n\n")[0].splitlines(), LINES)

    def test_doors_and_macros(self):
        changes = {
            path("registry"): header("registry", "memory") + include("/retry", export=True) + "\n",
            path("retry/config"): header("retry/config", "/clock", body="struct C {};"),
            path("retry"): header("retry", rooms=["retry/config"]) + include("retry/config", export=True) + "\n",
        }
        text = api.render(self.tree(changes))
        self.assertIn("[retry/config.hpp] given by retry.hpp, registry.hpp, fusebox.hpp\nC: struct C\n", text)
        self.assertIn("[test/fake_clock.hpp] given by test/fake_clock.hpp\n", text)
        self.assertIn("FUSEBOX_VERSION_STRING: #define FUSEBOX_VERSION_STRING\n", text)
        self.assertNotIn("detail/ticks", text)

    def test_default_arguments_of_templates_are_in_fwd(self):
        self.assertIn("Breaker: template <class T = int> class Breaker\n", api.render(self.tree()))

    def test_nothing_has_changed(self):
        self.assertEqual(api.check(self.trees()), [])

    def test_a_removed_name(self):
        self.changed_to("  int threshold = 5;  ///< how many\n", "", "BreakerConfig, whose", "- BreakerConfig::threshold:")
        self.changed_to("  [[nodiscard]] Mood mood() const noexcept { return Mood::calm; }\n", "", "- Breaker::mood:")
        self.changed_to(", furious", "", "names Mood", "- Mood::furious: = 5")

    def test_a_renamed_type_of_a_parameter(self):
        self.changed_to("std::string name, B", "std::string_view name, B", "+ Breaker::Breaker: explicit Breaker(std::string_view")
        self.changed_to("(const char* text);", "(char* text);", "names Handler")

    def test_a_new_default(self):
        self.changed_to("threshold = 5", "threshold = 6", "- BreakerConfig::threshold: int", "+ BreakerConfig::threshold: int")
        self.changed_to("0};", "1};", "wait{1}")
        self.changed_to("config = {})", "config)", "names Breaker")
        self.changed_to("Mood : unsigned char { calm", "Mood : unsigned char { shy, calm", "+ Mood::calm: = 1")

    def test_other_changes(self):
        self.changed_to("Mood mood() const noexcept", "Mood mood() const", "names Breaker")
        self.changed_to("< 3)", "< 4)", "names Breaker")
        self.changed_to("#if FUSEBOX_DETAIL_STOP", "#if !FUSEBOX_DETAIL_STOP", "names Breaker")
        self.changed_to("int data()", "long data()", "+ Breaker::data: long data()")
        self.changed_to("std::same_as<int>", "std::same_as<long>", "names Clocked")
        self.changed_to("-> Breaker<int>", "-> Breaker<long>", "names Breaker")
        self.changed_to("using Handler", "void added();\nusing Handler", "names added", "+ added: void added()")
        self.changed_to(" private:\n  int hidden", " public:\n  int hidden", "+ BreakerConfig::hidden")

    def test_changes_that_nobody_sees(self):
        for before, after in (
            ("int hidden = 1", "long hidden = 2"),
            ("return 1;", "return 2;"),
            ("/// A breaker.", "/// Another text."),
            ("[[nodiscard]] Mood", "Mood"),
            ("std::string name, ", "std::string label, "),
            ("Op&& op, Args&&... args", "Op&& call, Args&&... rest"),
            ("config_{config}", "config_{}"),
            ("int secret();", "void secret(int);"),
        ):
            with self.subTest(before=before):
                self.assertIn(before, TEXT)
                self.assertEqual(api.check(self.trees(TEXT.replace(before, after, 1))), [])

    def test_a_name_that_an_older_entry_has(self):
        text = TEXT.replace("< 3)", "< 4)")
        self.assertIn("no new entry", api.check(self.trees(text))[0])
        released = CHANGES.replace("- An old", "- The entry of another release: `Breaker`.\n- An old")
        self.assertEqual(api.check(self.trees(text, released)), [])
        closed = CHANGES.replace("- `mood` and", "- `Breaker`, `mood` and")
        self.assertIn("no new entry", api.check(self.trees(text, closed))[0])

    def test_another_door_and_a_header_that_has_gone(self):
        exported = header("registry", "memory") + include("/retry", export=True) + "\n"
        problems = api.check(self.trees(more={path("registry"): exported}))
        self.assertIn("names retry.hpp, whose", problems[0])
        fresh = CHANGES.replace("- An old", "- `retry.hpp` comes with `registry.hpp`.\n- An old")
        self.assertEqual(api.check(self.trees(TEXT, fresh, {path("registry"): exported})), [])

    def test_a_new_header(self):
        new = {
            path("adapters/curl"): header("adapters/curl", body="void one();\nvoid two();"),
            path("adapters/curl/part"): header("adapters/curl/part", body="void three();"),
        }
        problems = api.check(self.trees(more=new))
        self.assertEqual([one.split("names ")[1].split(",")[0] for one in problems], ["adapters/curl.hpp"])
        with_forward = {**new, path("adapters/curl/part"): header("adapters/curl/part", body="class Part {};")}
        self.assertEqual(len(api.check(self.trees(more={**with_forward, path("fwd"): HEADERS["fwd"].replace(
            "class Retry;", "class Retry;\nclass Part;")}))), 1)
        more = {**new, path("backoff/part"): header("backoff/part", body="void one();")}
        self.assertIn("names backoff/part.hpp, whose", api.check(self.trees(more=more))[1])
        for name in ("adapters/curl.hpp", "curl.hpp", "<fusebox/adapters/curl.hpp>"):
            entry = CHANGES.replace("- An old", f"- `{name}` for curl.\n- An old")
            self.assertEqual(api.check(self.trees(TEXT, entry, new)), [])
        entry = CHANGES.replace("- An old", "- `url.hpp` for curl.\n- An old")
        self.assertEqual(len(api.check(self.trees(TEXT, entry, new))), 1)

    def test_an_adapter_is_named_by_its_header(self):
        old = header("adapters/curl", body="void one();")
        base = api.render_base(api.render(self.tree({path("adapters/curl"): old})), "1.2.3", CHANGES)
        new = {path("adapters/curl"): header("adapters/curl", body="void one(int);"), api.BASE: base}
        new[api.NOW] = api.render(self.tree(new))
        self.assertIn("names one, whose", api.check(self.tree({**new, "CHANGELOG.md": CHANGES}))[0])
        entry = CHANGES.replace("- An old", "- `curl.hpp` asks for a number.\n- An old")
        self.assertEqual(api.check(self.tree({**new, "CHANGELOG.md": entry})), [])

    def test_a_file_that_is_out_of_date(self):
        text = TEXT.replace("< 3)", "< 4)")
        old = self.trees()
        entry = CHANGES.replace("- An old", "- `Breaker` too.\n- An old")
        files = {api.NOW: old.text(api.NOW), api.BASE: old.text(api.BASE), path("retry"): text, "CHANGELOG.md": entry}
        problems = api.check(self.tree(files))
        self.assertIn("requires(sizeof...(Args) < 4)", problems[1])
        self.assertIn("make api", problems[-1])
        self.assertEqual(len(problems), 3)

    def test_no_file(self):
        self.assertIn("do not exist: make api", api.check(self.tree())[0])

    def test_a_first_release(self):
        self.assertEqual(api.entries(api.open_section("# C\n\n## [0.1.0] - unreleased\n\n- a\n  b\n- c\n")), ["- a b", "- c"])
        self.assertEqual(api.open_section("# C\n\n## [0.1.0] - 2026-11-29\n\n- a\n"), "")

    def test_names_for_using_declarations(self):
        names = [name for name, *_ in api.names(self.tree({path("retry"): TEXT})) if name != "fusebox::one"]
        expected = ["Retry", "Breaker", "BreakerConfig", "Clocked", "Handler", "Mood", "State", "Clock", "chosen"]
        self.assertEqual(sorted(set(names)), sorted(f"fusebox::{one}" for one in expected if one != "Retry"))

    def test_this_library(self):
        """L10 The record of this very tree is up to date"""
        self.assertEqual(api.check(Tree(ROOT)), [])


class Lines(unittest.TestCase):
    def test_what_a_changelog_names(self):
        for name, top in (
            ("Breaker::state", "Breaker"),
            ("curl::Result::code", "Result"),
            ("http::is_idempotent", "is_idempotent"),
            ("std::hash<fusebox::ErrorCode>", "hash"),
            ("failure_traits<redis::Result>::failure", "failure_traits"),
            ("operator<<", "operator"),
        ):
            self.assertEqual(api.top_of(name), top)

    def test_names_of_parameters(self):
        for text, expected in (
            ("void f(int)", "void f(int)"),
            ("void f(unsigned long, const T, typename T::type)", "void f(unsigned long, const T, typename T::type)"),
            ("void f(const std::string& name, int* p = nullptr)", "void f(const std::string&, int* = nullptr)"),
            ("void f(std::map<int, long> map, Args&&... args)", "void f(std::map<int, long>, Args&&...)"),
            ("template <class T> T f(T t) const", "template <class T> T f(T) const"),
            ("bool operator()(T value)", "bool operator()(T)"),
        ):
            name = "operator()" if "operator" in text else "f"
            self.assertEqual(api.without_parameter_names(text, name), expected)
            self.assertEqual(api.essence(f"A::{name}: {text}"), f"A::{name}: {expected}")


if __name__ == "__main__":
    unittest.main()

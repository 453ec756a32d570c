#include <fusebox/detail/printable_names.hpp>

#include <map>
#include <string>

#include "catch.hpp"

namespace {
using Names = std::map<std::string, int>;
}

TEST_CASE("H6 names that become alike as valid UTF-8 are numbered", "[H6]") {
  using fusebox::detail::with_printable_names;
  const std::string bad = "\xef\xbf\xbd";
  CHECK(with_printable_names(Names{{"a", 1}, {"\xc3\xa9", 2}}) == Names{{"a", 1}, {"\xc3\xa9", 2}});
  CHECK(with_printable_names(Names{{"a\xff", 1}}) == Names{{"a" + bad, 1}});
  CHECK(with_printable_names(Names{{"a\xff", 2}, {"a\xfe", 1}, {"a" + bad, 3}, {"b", 4}}) ==
        Names{{"a" + bad, 3}, {"a" + bad + " (2)", 1}, {"a" + bad + " (3)", 2}, {"b", 4}});
  CHECK(with_printable_names(Names{{"a\xff", 1}, {"a" + bad, 2}, {"a" + bad + " (2)", 3}}) ==
        Names{{"a" + bad, 2}, {"a" + bad + " (2)", 3}, {"a" + bad + " (3)", 1}});
}

TEST_CASE("M2 equal names of several kinds are numbered in the order of the kinds", "[M2]") {
  using fusebox::detail::with_printable_names;
  CHECK(with_printable_names(Names{{"a", 1}, {"b (2)", 2}}, Names{{"b", 3}}, Names{{"a", 4}, {"b", 5}}) ==
        Names{{"a", 1}, {"a (2)", 4}, {"b", 3}, {"b (2)", 2}, {"b (3)", 5}});
  CHECK(with_printable_names(Names{{"a\xff", 1}}, Names{{"a\xff", 2}, {"a\xfe", 3}}) ==
        Names{{"a\xef\xbf\xbd", 3}, {"a\xef\xbf\xbd (2)", 1}, {"a\xef\xbf\xbd (3)", 2}});
}

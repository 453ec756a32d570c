#include <fusebox/registry/detail/name_order.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"

using namespace fusebox;

namespace {

using Names = std::vector<std::string>;

Names in_order(const Names& names) {
  Names ordered;
  detail::for_each_in_order(
      names.size(), [&](std::size_t i) { return std::string_view{names[i]}; },
      [&](std::size_t i) { ordered.push_back(names[i]); });
  return ordered;
}

Names sorted(Names names) {
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

TEST_CASE("G5 names are visited in the order of a map, each once", "[G5]") {
  const std::string nul(1, '\0');
  for (const Names& names : {
           Names{},
           Names{"one"},
           Names{"b", "a", "c"},
           Names{"ab", "a", "abc", "b"},
           Names{"service-10", "service-9", "service-1", "service-"},
           Names{"same beginning, then 2", "same beginning, then 1", "same beginning"},
           // Alike in the eight bytes that are compared as a number.
           Names{"x12345678b", "x12345678a", "y", "x12345678", "x1234567"},
           // A zero byte does not end a name, and a byte above 127 is not negative.
           Names{"a" + nul, "a", "a" + nul + nul, "a\x01", "a\xff", "a\x7f"},
           Names{"a" + nul + "b", "a" + nul + "a", "a"},
       }) {
    CHECK(in_order(names) == sorted(names));
  }
}

TEST_CASE("G5 many names that begin alike are visited in order", "[G5]") {
  Names names;
  for (int i = 0; i < 1000; ++i)
    names.push_back("https://hooks.example.com/tenant/" + std::to_string(i * 7919 % 1000));
  CHECK(in_order(names) == sorted(names));
}

#include <fusebox/detail/registry/name_order.hpp>

#include <algorithm>
#include <cstddef>
#include <random>
#include <set>
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
           Names{"b1", "a2", "b3"},
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

TEST_CASE("G5 names are sorted by every one of the eight bytes that are compared as a number", "[G5]") {
  Names names;
  for (std::size_t place = 0; place < 9; ++place) {
    for (const char c : {'\xff', '\x01', 'z', '\x7f', 'a', '`'}) {
      std::string name(9, 'm');
      name[place] = c;
      names.push_back(name);
    }
  }
  CHECK(in_order(names) == sorted(names));
}

TEST_CASE("G5 names of random bytes and lengths are visited in order", "[G5]") {
  std::minstd_rand random{5};
  for (int round = 0; round < 200; ++round) {
    std::set<std::string> names;
    for (int i = 0; i < 40; ++i) {
      std::string name(1 + random() % 12, 'x');
      for (char& c : name) c = "\0x\xff"[random() % 3];
      names.insert(name);
    }
    Names shuffled(names.begin(), names.end());
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    REQUIRE(in_order(shuffled) == Names(names.begin(), names.end()));
  }
}

TEST_CASE("G5 many names that begin alike are visited in order", "[G5]") {
  Names names;
  for (int i = 0; i < 1000; ++i)
    names.push_back("https://hooks.example.com/tenant/" + std::to_string(i * 7919 % 1000));
  CHECK(in_order(names) == sorted(names));
}

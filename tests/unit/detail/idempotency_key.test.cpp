#include <fusebox/detail/idempotency_key.hpp>

#include <array>
#include <cstddef>
#include <set>
#include <string>

#include "catch.hpp"

namespace {

bool is_uuid_v4(const std::string& text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool digit = std::string{"0123456789abcdef"}.find(text[i]) != std::string::npos;
    if (dash ? text[i] != '-' : !digit) return false;
  }
  return text[14] == '4' && std::string{"89ab"}.find(text[19]) != std::string::npos;
}

}  // namespace

TEST_CASE("R18 the idempotency key is a random UUID", "[R18]") {
  std::array<std::set<char>, 36> digits;
  for (int call = 0; call < 200; ++call) {
    const std::string key = fusebox::detail::make_idempotency_key();
    CAPTURE(key);
    REQUIRE(is_uuid_v4(key));
    for (std::size_t i = 0; i < key.size(); ++i) digits[i].insert(key[i]);
  }
  for (std::size_t i = 0; i < digits.size(); ++i) {
    CAPTURE(i);
    const bool fixed = i == 8 || i == 13 || i == 18 || i == 23 || i == 14;
    CHECK(digits[i].size() == (fixed ? 1U : i == 19 ? 4U : 16U));
  }
}

#include <fusebox/detail/utf8.hpp>

#include <cstddef>
#include <string>
#include <string_view>

#include "catch.hpp"

using namespace fusebox;
using detail::shown_text;

namespace {

constexpr bool is_character(std::string_view text) {
  const detail::Utf8Step step = detail::utf8_step(text);
  return step.valid && step.size == text.size() && detail::is_utf8(text);
}

/// Are the first `size` bytes invalid, and one step?
constexpr bool is_invalid(std::string_view text, std::size_t size) {
  const detail::Utf8Step step = detail::utf8_step(text);
  return !step.valid && step.size == size && !detail::is_utf8(text);
}

std::string replaced(std::string_view text) {
  std::string out;
  detail::for_each_character(text, [&](std::string_view character) { out.append(character); });
  return out;
}

}  // namespace

TEST_CASE("H2 the first and the last character of each length, and those around the surrogates", "[H2]") {
  STATIC_REQUIRE(is_character("\x01") && is_character("\x7f"));
  STATIC_REQUIRE(is_character("\xc2\x80") && is_character("\xdf\xbf"));
  STATIC_REQUIRE(is_character("\xe0\xa0\x80") && is_character("\xef\xbf\xbf"));
  STATIC_REQUIRE(is_character("\xed\x9f\xbf") && is_character("\xee\x80\x80"));
  STATIC_REQUIRE(is_character("\xf0\x90\x80\x80") && is_character("\xf4\x8f\xbf\xbf"));
}

TEST_CASE("H2 invalid bytes are taken as maximal subparts", "[H2]") {
  STATIC_REQUIRE(is_invalid("\x80", 1) && is_invalid("\xbf", 1) && is_invalid("\xff\xfe", 1));
  STATIC_REQUIRE(is_invalid("\xc0\xaf", 1) && is_invalid("\xc1\xbf", 1));  // overlong
  STATIC_REQUIRE(is_invalid("\xe0\x9f\xbf", 1) && is_invalid("\xf0\x8f\xbf\xbf", 1));
  STATIC_REQUIRE(is_invalid("\xed\xa0\x80", 1) && is_invalid("\xed\xbf\xbf", 1));          // surrogates
  STATIC_REQUIRE(is_invalid("\xf4\x90\x80\x80", 1) && is_invalid("\xf5\x80\x80\x80", 1));  // beyond U+10FFFF
  STATIC_REQUIRE(is_invalid("\xc2", 1) && is_invalid("\xe2", 1) && is_invalid("\xc2\xc0", 1));  // cut short
  STATIC_REQUIRE(is_invalid("\xe2\x82", 2) && is_invalid("\xe2\x82z", 2) && is_invalid("\xe2\x82\xc0", 2));
  STATIC_REQUIRE(is_invalid("\xf0\x9f\x98", 3) && is_invalid("\xf0\x9f\x98z", 3));
  STATIC_REQUIRE(is_invalid("\xe2z\x80", 1));
  STATIC_REQUIRE(detail::is_utf8(""));
  STATIC_REQUIRE(!detail::is_utf8("z\xff"));
}

TEST_CASE("H2 invalid bytes become U+FFFD", "[H2]") {
  const std::string bad = "\xef\xbf\xbd";
  CHECK(replaced("\x7f \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80") ==
        "\x7f \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
  CHECK(replaced("\xff\xfe") == bad + bad);
  CHECK(replaced("\xe2\x82z\xed\xa0\x80") == bad + "z" + bad + bad + bad);
  CHECK(replaced("").empty());
}

TEST_CASE("E8 a shown text has U+FFFD for control characters and invalid bytes", "[E8]") {
  const std::string_view bad = "\xEF\xBF\xBD";
  CHECK(shown_text("").empty());
  CHECK(shown_text("plain \"text\" \\ ~") == "plain \"text\" \\ ~");
  CHECK(shown_text("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80") == "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
  for (const std::string_view one : {"\n", "\r", "\t", "\x1b", "\x01", "\x1f", "\x7f", "\xc2\x80", "\xc2\x9f",
                                     "\xff", "\xc2", "\xe2\x82"}) {
    CAPTURE(one);
    CHECK(shown_text(one) == bad);
    CHECK(shown_text("a" + std::string{one} + "b") == "a" + std::string{bad} + "b");
  }
  CHECK(shown_text(std::string_view{"\0", 1}) == bad);
  CHECK(shown_text("\xc2\xa0") == "\xc2\xa0");
}

TEST_CASE("H2 what stands for itself in every format", "[H2]") {
  STATIC_REQUIRE(detail::plain_length("") == 0);
  STATIC_REQUIRE(detail::plain_length("a~!z") == 4);
  STATIC_REQUIRE(detail::plain_length("ab\"c") == 2 && detail::plain_length("ab\\c") == 2);
  STATIC_REQUIRE(detail::plain_length("ab\x1f") == 2 && detail::plain_length("ab\x7f") == 2);
  STATIC_REQUIRE(detail::plain_length("ab\xc3\xa9") == 2);
}

#include <fusebox/detail/json_writer.hpp>

#include <string>
#include <string_view>

#include "catch.hpp"

using namespace fusebox;

namespace {

std::string quoted(std::string_view text) {
  std::string out;
  detail::append_json_string(out, text);
  return out;
}

}  // namespace

TEST_CASE("H2 control characters, quotes and backslashes are escaped", "[H2]") {
  CHECK(quoted("") == R"("")");
  CHECK(quoted("plain / text") == R"("plain / text")");
  CHECK(quoted("a\"b\\c/\b\f\n\r\t") == R"("a\"b\\c/\b\f\n\r\t")");
  CHECK(quoted("\x01\x1f\x20") == R"("\u0001\u001f ")");
  CHECK(quoted({"\0", 1}) == R"("\u0000")");
}

TEST_CASE("H2 characters beyond ASCII stay, and invalid bytes become U+FFFD", "[H2]") {
  CHECK(quoted("\x7f \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80") ==
        "\"\x7f \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"");
  CHECK(quoted("a\xff\n") == "\"a\xef\xbf\xbd\\n\"");
}

TEST_CASE("H2 an object has its members in order, and may be nested", "[H2]") {
  std::string out;
  {
    detail::JsonObject object{out};
    object.text("a\n", "1");
    object.number("b", 2);
    detail::JsonObject inner{object.member("c")};
  }
  CHECK(out == R"({"a\n":"1","b":2,"c":{}})");
}

TEST_CASE("H2 an object that an exception unwinds writes no more", "[H2]") {
  std::string out;
  try {
    const detail::JsonObject object{out};
    throw 42;
  } catch (int) {
  }
  CHECK(out == "{");
}

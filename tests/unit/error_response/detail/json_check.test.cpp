#include <fusebox/error_response/detail/json_check.hpp>

#include <string>
#include <string_view>

#include "catch.hpp"

using fusebox::detail::JsonChecker;

TEST_CASE("E3 an escape in JSON is one that RFC 8259 knows, and a surrogate has its other half") {
  for (const std::string_view text :
       {R"("\"\\\/\b\f\n\r\t")", R"("\u0041\uabcd\uABCD")", R"("\ud800\udc00")", R"("\uDBFF\uDFFF")"}) {
    CAPTURE(text);
    CHECK(JsonChecker::is_value(text));
  }
  for (const std::string_view text :
       {R"("\)", R"("\x")", R"("\u12")", R"("\u12g4")", R"("\ud800")", R"("\ud800\n")", R"("\ud800\u0041")",
        R"("\ud800\ue000")", R"("\ud800\udbff")", R"("\udc00")", R"("\udfff")", R"("\ud800\u12g4")"}) {
    CAPTURE(text);
    CHECK_FALSE(JsonChecker::is_value(text));
  }
}

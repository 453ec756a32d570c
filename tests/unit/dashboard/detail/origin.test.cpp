#include <fusebox/dashboard/detail/origin.hpp>

#include <string_view>

#include "catch.hpp"

using fusebox::detail::authority_of;
using fusebox::detail::is_origin;

TEST_CASE("H74 an origin is the scheme http or https and a host, perhaps with a port", "[H74]") {
  CHECK(authority_of("http://[::1]:8080") == "[::1]:8080");
  CHECK(authority_of("https://ops.example") == "ops.example");
  CHECK(authority_of("https://").empty());
  for (const std::string_view other :
       {"", "null", "ops.example", "HTTPS://ops.example", "file://ops.example"}) {
    CHECK(authority_of(other).empty());
    CHECK_FALSE(is_origin(other));
  }

  CHECK(is_origin("http://127.0.0.1:8080"));
  CHECK(is_origin("https://!ops.example~"));  // the first and the last printable character
  for (const std::string_view other :
       {"https://", "https://:443", "https://ops.example/", "https://ops.example\\", "https://ops.example?a",
        "https://ops.example#a", "https://me@ops.example", "https://*.example", "https://a,b", "https://a b",
        "https://\"a\"", "https://<a>", "https://a\x7f", "https://a\n", "https://\xc3\xa4.example"})
    CHECK_FALSE(is_origin(other));
}

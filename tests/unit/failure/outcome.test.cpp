#include <fusebox/failure/outcome.hpp>

#include "catch.hpp"

using namespace fusebox;

TEST_CASE("H11 each Outcome has a name", "[H11]") {
  STATIC_REQUIRE(to_string(Outcome::success) == "success");
  STATIC_REQUIRE(to_string(Outcome::failure) == "failure");
  STATIC_REQUIRE(to_string(Outcome::ignored) == "ignored");
  STATIC_REQUIRE(to_string(Outcome{3}) == "unknown");
}

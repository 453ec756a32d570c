// Without exceptions: tests/reduced/aborts.cpp.
#include <fusebox/detail/throw.hpp>

#include <stdexcept>
#include <system_error>

#include "catch.hpp"

using namespace fusebox::detail;

static_assert(exceptions_are_on<> && exceptions_are_on<int>);

TEST_CASE("an error is thrown as its own type") {
  try {
    throw_error(std::system_error{std::make_error_code(std::errc::timed_out)});
  } catch (const std::system_error& error) {
    CHECK(error.code() == std::errc::timed_out);
  }
  CHECK_THROWS_AS(throw_error(7), int);
}

TEST_CASE("C2 an invalid argument is thrown with its text", "[C2]") {
  CHECK_THROWS_AS(throw_invalid("text"), std::invalid_argument);
  CHECK_THROWS_WITH(throw_invalid("text"), "text");
}

#include <fusebox/error_code/categories.hpp>

#include <string_view>
#include <system_error>

#include "catch.hpp"

using namespace fusebox;

namespace {

template <class E>
void check_code(E value, const std::error_category& category) {
  const std::error_code code = value;
  CHECK(code == make_error_code(value));
  CHECK(code.value() == static_cast<int>(value));
  CHECK(code.category() == category);
}

}  // namespace

TEST_CASE("E1 each enum makes error codes of a category of its own", "[E1]") {
  check_code(ErrorCode::not_found, http_category());
  check_code(NetworkErrc::host_not_found, network_error_category());
  check_code(PolicyErrc::cancelled, policy_error_category());
  STATIC_REQUIRE(noexcept(make_error_code(ErrorCode{})));
  STATIC_REQUIRE(noexcept(make_error_code(NetworkErrc{})));
  STATIC_REQUIRE(noexcept(make_error_code(PolicyErrc{})));
}

TEST_CASE("E1 each category is one object with a name of its own", "[E1]") {
  CHECK(&http_category() == &http_category());
  CHECK(&network_error_category() == &network_error_category());
  CHECK(&policy_error_category() == &policy_error_category());
  CHECK(std::string_view{http_category().name()} == "fusebox.http");
  CHECK(std::string_view{network_error_category().name()} == "fusebox.network");
  CHECK(std::string_view{policy_error_category().name()} == "fusebox.policy");
  STATIC_REQUIRE(noexcept(http_category()));
  STATIC_REQUIRE(noexcept(network_error_category()));
  STATIC_REQUIRE(noexcept(policy_error_category()));
}

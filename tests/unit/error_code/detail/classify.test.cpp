#include <fusebox/error_code/detail/classify.hpp>

#include <array>
#include <cerrno>
#include <system_error>

#include "catch.hpp"
#include "support/error_categories.hpp"

using namespace fusebox;

TEST_CASE("E1 a network error is a NetworkErrc or its POSIX twin of any category", "[E1]") {
  const support::MappedCategory mapped;
  for (const std::error_code code :
       {make_error_code(NetworkErrc::host_not_found), make_error_code(NetworkErrc::connection_reset),
        std::make_error_code(std::errc::timed_out), std::error_code{ECONNREFUSED, std::system_category()},
        std::error_code{2, mapped}, std::error_code{3, mapped}, std::error_code{4, mapped}}) {
    CAPTURE(code);
    CHECK(detail::is_network_error(code));
    CHECK(detail::category_of_code(code) == ErrorCategory::network);
  }
}

TEST_CASE("E1 no PolicyErrc and no ErrorCode is a network error, whatever its POSIX twin is", "[E1]") {
  const support::MappedCategory mapped;
  for (const std::error_code code :
       {make_error_code(PolicyErrc::circuit_open), make_error_code(PolicyErrc::timed_out),
        make_error_code(PolicyErrc::cancelled), make_error_code(ErrorCode::request_timeout),
        std::error_code{ECONNRESET, http_category()}, std::error_code{1, mapped}, std::error_code{}}) {
    CAPTURE(code);
    CHECK_FALSE(detail::is_network_error(code));
  }
}

TEST_CASE("E1 host-not-found of Asio is recognised by the name of its category, not by the name's address",
          "[E1]") {
  std::array<char, 11> name{"asio.netdb"};
  const support::NamedCategory netdb{name.data()};
  CHECK(detail::is_network_error({1, netdb}));
}

TEST_CASE("E1 the category of an unknown code is internal", "[E1]") {
  const support::NamedCategory other{"somebody.else"};
  CHECK(detail::category_of_code({404, other}) == ErrorCategory::internal);
  CHECK(detail::category_of_code({}) == ErrorCategory::internal);
}

TEST_CASE("E1 a code matches a POSIX condition as == does", "[E1]") {
  const support::MappedCategory mapped;
  const support::EquivalentCategory equivalent;
  for (const auto condition : {std::errc::operation_canceled, std::errc::timed_out}) {
    for (const std::error_code code :
         {make_error_code(ErrorCode::not_found),
          std::error_code{static_cast<int>(condition), http_category()},
          std::make_error_code(std::errc::timed_out), std::error_code{ECANCELED, std::system_category()},
          make_error_code(PolicyErrc::cancelled), make_error_code(NetworkErrc::timed_out),
          std::error_code{1, mapped}, std::error_code{2, equivalent}, std::error_code{}}) {
      CAPTURE(code);
      CHECK(detail::matches(code, condition) == (code == condition));
    }
  }
}

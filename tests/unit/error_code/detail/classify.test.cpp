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

TEST_CASE("E1 every POSIX error of the network is a network error, in whichever category it comes", "[E1]") {
  const support::NamedCategory asio{"asio.system"};
  const support::EquivalentCategory equivalent;
  for (const int number : {ENETUNREACH, EHOSTUNREACH, ENETDOWN, ENETRESET, ECONNABORTED, ECONNRESET, EPIPE,
                           ENOTCONN, EADDRNOTAVAIL, ETIMEDOUT, ECONNREFUSED}) {
    for (const std::error_category* category : {&std::generic_category(), &std::system_category(),
                                                static_cast<const std::error_category*>(&asio)}) {
      CAPTURE(number, category->name());
      CHECK(detail::is_network_error({number, *category}));
      CHECK(detail::category_of_code({number, *category}) == ErrorCategory::network);
    }
  }
  CHECK(detail::is_network_error({3, equivalent}));
}

TEST_CASE("E1 other POSIX errors are no network errors", "[E1]") {
  const support::NamedCategory asio{"asio.system"};
  for (const int number : {0, EAGAIN, EWOULDBLOCK, EINTR, EADDRINUSE, EACCES, ENOENT, EBADF, ECANCELED,
                           EINPROGRESS, EALREADY, EISCONN, EPROTO, -1}) {
    for (const std::error_category* category : {&std::generic_category(), &std::system_category(),
                                                static_cast<const std::error_category*>(&asio)}) {
      CAPTURE(number, category->name());
      CHECK_FALSE(detail::is_network_error({number, *category}));
    }
  }
}

TEST_CASE("E1 the numbers of a category are read as errno only if it is named asio.system", "[E1]") {
  for (const char* name : {"asio", "asio.system.", "boost.asio.system", "asio.misc", "asio.ssl", "system"}) {
    const support::NamedCategory other{name};
    CHECK_FALSE(detail::is_network_error({ECONNREFUSED, other}));
    CHECK_FALSE(detail::matches({ECANCELED, other}, std::errc::operation_canceled));
  }
  const support::NamedCategory asio{"asio.system"};
  CHECK(detail::matches({ECANCELED, asio}, std::errc::operation_canceled));
  CHECK(detail::matches({ETIMEDOUT, asio}, std::errc::timed_out));
  CHECK_FALSE(detail::matches({ETIMEDOUT, asio}, std::errc::operation_canceled));
}

TEST_CASE("E1 a code whose condition is ErrorCategory::network is a network error", "[E1]") {
  const support::KindCategory network{
      {static_cast<int>(ErrorCategory::network), detail::error_category_conditions()}};
  const support::KindCategory internal{
      {static_cast<int>(ErrorCategory::internal), detail::error_category_conditions()}};
  CHECK(detail::is_network_error({77, network}));
  CHECK(detail::category_of_code({77, network}) == ErrorCategory::network);
  CHECK_FALSE(detail::is_network_error({0, network}));
  CHECK_FALSE(detail::is_network_error({77, internal}));
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

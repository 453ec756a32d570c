#include <fusebox/error_code.hpp>

#include <cerrno>
#include <future>
#include <ios>
#include <string_view>
#include <system_error>
#include <vector>

#include "catch.hpp"
#include "support/error_categories.hpp"

using namespace fusebox;

namespace {

constexpr ErrorCategory all_categories[] = {
    ErrorCategory::validation, ErrorCategory::authentication, ErrorCategory::authorization,
    ErrorCategory::not_found,  ErrorCategory::rate_limit,     ErrorCategory::external_service,
    ErrorCategory::internal,   ErrorCategory::network,
};

/// The categories for which `code == category` holds.
std::vector<ErrorCategory> categories_of(const std::error_code& code) {
  std::vector<ErrorCategory> found;
  for (const ErrorCategory category : all_categories) {
    if (code == category) found.push_back(category);
  }
  return found;
}

std::vector<ErrorCategory> categories_of(int status) {
  return categories_of(std::error_code{status, http_category()});
}

using Only = std::vector<ErrorCategory>;
const Only no_category;

}  // namespace

TEST_CASE("E1 an ErrorCategory makes a condition of one category", "[E1]") {
  CHECK(&category_condition() == &category_condition());
  CHECK(std::string_view{category_condition().name()} == "fusebox.category");
  for (const ErrorCategory category : all_categories) {
    const std::error_condition condition = category;
    CHECK(condition == make_error_condition(category));
    CHECK(condition.value() == static_cast<int>(category));
    CHECK(condition.category() == category_condition());
    CHECK(condition.message() == to_string(category));
  }
  STATIC_REQUIRE(noexcept(category_condition()));
  STATIC_REQUIRE(noexcept(make_error_condition(ErrorCategory{})));
}

TEST_CASE("E1 an HTTP status is of exactly its category, also without an ErrorCode", "[E1]") {
  for (int status = 400; status <= 599; ++status) {
    CAPTURE(status);
    CHECK(categories_of(status) == Only{category_of(status)});
  }
}

TEST_CASE("E1 a NetworkErrc and the POSIX errors are of category network, whichever category they come in",
          "[E1]") {
  for (const NetworkErrc errc : {NetworkErrc::connection_reset, NetworkErrc::timed_out,
                                 NetworkErrc::host_not_found, NetworkErrc::connection_refused}) {
    CAPTURE(to_string(errc));
    CHECK(categories_of(errc) == Only{ErrorCategory::network});
  }
  const support::NamedCategory asio{"asio.system"};
  for (const int number : {ECONNRESET, ETIMEDOUT, ECONNREFUSED, ECONNABORTED, EPIPE, ENOTCONN, ENETUNREACH,
                           EHOSTUNREACH, ENETDOWN, ENETRESET, EADDRNOTAVAIL}) {
    CAPTURE(number);
    CHECK(categories_of({number, asio}) == Only{ErrorCategory::network});
    CHECK(categories_of({number, std::generic_category()}) == Only{ErrorCategory::network});
    CHECK(categories_of({number, std::system_category()}) == Only{ErrorCategory::network});
  }
  const support::MappedCategory mapped;
  const support::EquivalentCategory equivalent;
  for (const int number : {2, 3, 4}) {
    CAPTURE(number);
    CHECK(categories_of({number, mapped}) == Only{ErrorCategory::network});
    CHECK(categories_of({number, equivalent}) == Only{ErrorCategory::network});
  }
  const support::KindCategory kind{ErrorCategory::network};
  CHECK(categories_of({77, kind}) == Only{ErrorCategory::network});
}

TEST_CASE("E1 a PolicyErrc is of the category of its status", "[E1]") {
  CHECK(categories_of(PolicyErrc::circuit_open) == Only{ErrorCategory::external_service});
  CHECK(categories_of(PolicyErrc::bulkhead_full) == Only{ErrorCategory::external_service});
  CHECK(categories_of(PolicyErrc::rate_limited) == Only{ErrorCategory::rate_limit});
  CHECK(categories_of(PolicyErrc::timed_out) == Only{ErrorCategory::external_service});
  CHECK(categories_of(PolicyErrc::cancelled) == Only{ErrorCategory::external_service});
}

TEST_CASE("E1 other errors of the system and of other libraries are of no category", "[E1]") {
  for (const int number : {ENOENT, EACCES, EINVAL, ENOMEM, ECANCELED, EAGAIN}) {
    CAPTURE(number);
    CHECK(categories_of({number, std::generic_category()}) == no_category);
    CHECK(categories_of({number, std::system_category()}) == no_category);
  }
  CHECK(categories_of(std::make_error_code(std::future_errc::broken_promise)) == no_category);
  CHECK(categories_of(std::make_error_code(std::io_errc::stream)) == no_category);
  const support::NamedCategory other{"somebody.else"};
  for (const int value : {1, 2, 104, 110, 111, 404, 503}) {
    CHECK(categories_of({value, other}) == no_category);
  }
}

TEST_CASE("E1 a code that is not set is of no category", "[E1]") {
  CHECK(categories_of(std::error_code{}) == no_category);
  for (const auto* category :
       {&std::generic_category(), &http_category(), &network_error_category(), &policy_error_category()}) {
    CAPTURE(category->name());
    CHECK(categories_of({0, *category}) == no_category);
  }
}

TEST_CASE("E1 host-not-found of Asio and Boost.Asio is of category network", "[E1]") {
  for (const char* name : {"asio.netdb", "boost.asio.netdb"}) {
    CAPTURE(name);
    const support::NamedCategory netdb{name};
    CHECK(categories_of({1, netdb}) == Only{ErrorCategory::network});  // HOST_NOT_FOUND
    CHECK(categories_of({2, netdb}) == Only{ErrorCategory::network});  // TRY_AGAIN
    CHECK(categories_of({0, netdb}) == no_category);
    CHECK(categories_of({3, netdb}) == no_category);  // NO_RECOVERY
  }
  for (const char* name :
       {"asio.misc", "asio.addrinfo", "netdb", "asio.netdb2", "my.asio.netdb", "ASIO.NETDB", ""}) {
    CAPTURE(name);
    const support::NamedCategory other{name};
    CHECK(categories_of({1, other}) == no_category);
    CHECK(categories_of({2, other}) == no_category);
  }
}

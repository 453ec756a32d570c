#include <fusebox/error_code.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <future>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"

using namespace fusebox;

namespace {

struct NamedCode {
  ErrorCode code;
  int status;
  std::string_view name;
  ErrorCategory category;
  bool retryable;
};

constexpr NamedCode all_codes[] = {
    {ErrorCode::validation_error, 400, "validation_error", ErrorCategory::validation, false},
    {ErrorCode::unauthorized, 401, "unauthorized", ErrorCategory::authentication, false},
    {ErrorCode::forbidden, 403, "forbidden", ErrorCategory::authorization, false},
    {ErrorCode::not_found, 404, "not_found", ErrorCategory::not_found, false},
    {ErrorCode::method_not_allowed, 405, "method_not_allowed", ErrorCategory::validation, false},
    {ErrorCode::request_timeout, 408, "request_timeout", ErrorCategory::network, true},
    {ErrorCode::conflict, 409, "conflict", ErrorCategory::validation, false},
    {ErrorCode::gone, 410, "gone", ErrorCategory::not_found, false},
    {ErrorCode::payload_too_large, 413, "payload_too_large", ErrorCategory::validation, false},
    {ErrorCode::unprocessable_content, 422, "unprocessable_content", ErrorCategory::validation, false},
    {ErrorCode::rate_limit_exceeded, 429, "rate_limit_exceeded", ErrorCategory::rate_limit, true},
    {ErrorCode::internal_server_error, 500, "internal_server_error", ErrorCategory::internal, true},
    {ErrorCode::not_implemented, 501, "not_implemented", ErrorCategory::internal, false},
    {ErrorCode::bad_gateway, 502, "bad_gateway", ErrorCategory::external_service, true},
    {ErrorCode::service_unavailable, 503, "service_unavailable", ErrorCategory::external_service, true},
    {ErrorCode::gateway_timeout, 504, "gateway_timeout", ErrorCategory::external_service, true},
};

struct NamedCategory {
  ErrorCategory category;
  int value;
  std::string_view word;
  int status;
};

constexpr NamedCategory all_categories[] = {
    {ErrorCategory::validation, 1, "validation", 400},
    {ErrorCategory::authentication, 2, "authentication", 401},
    {ErrorCategory::authorization, 3, "authorization", 403},
    {ErrorCategory::not_found, 4, "not_found", 404},
    {ErrorCategory::rate_limit, 5, "rate_limit", 429},
    {ErrorCategory::external_service, 6, "external_service", 502},
    {ErrorCategory::internal, 7, "internal", 500},
    {ErrorCategory::network, 8, "network", 500},
};

constexpr NetworkErrc all_network[] = {NetworkErrc::connection_reset, NetworkErrc::timed_out,
                                       NetworkErrc::host_not_found, NetworkErrc::connection_refused};
constexpr PolicyErrc all_policy[] = {PolicyErrc::circuit_open, PolicyErrc::bulkhead_full,
                                     PolicyErrc::rate_limited, PolicyErrc::timed_out, PolicyErrc::cancelled};

/// code == wanted, which must be the same in both directions and the opposite of !=.
template <class Wanted>
bool is(const std::error_code& code, Wanted wanted) {
  const bool equal = code == wanted;
  CHECK((wanted == code) == equal);
  CHECK((code != wanted) == !equal);
  CHECK((wanted != code) == !equal);
  return equal;
}

/// The categories that the code belongs to.
std::vector<ErrorCategory> categories_of(const std::error_code& code) {
  std::vector<ErrorCategory> found;
  for (const auto& row : all_categories) {
    if (is(code, row.category)) found.push_back(row.category);
    CHECK((code == std::error_condition{row.category}) == (code == row.category));
  }
  return found;
}

using Only = std::vector<ErrorCategory>;
const Only no_category;

std::error_code system_error(int number) { return {number, std::system_category()}; }
std::error_code generic_error(int number) { return {number, std::generic_category()}; }

/// Another library's category, of which only the name is known.
class ForeignCategory : public std::error_category {
 public:
  explicit ForeignCategory(const char* name) : name_{name} {}
  [[nodiscard]] const char* name() const noexcept override { return name_; }
  [[nodiscard]] std::string message(int) const override { return "foreign"; }

 private:
  const char* name_;
};

/// Another library's category whose errors have POSIX twins.
class PosixLikeCategory final : public ForeignCategory {
 public:
  PosixLikeCategory() : ForeignCategory{"boost.system"} {}
  [[nodiscard]] std::error_condition default_error_condition(int value) const noexcept override {
    return {value, std::generic_category()};
  }
};

}  // namespace

// The tables.

TEST_CASE("section 5: ErrorCode's values are HTTP statuses, named by to_string") {
  CHECK(std::size(all_codes) == 16);
  for (const auto& row : all_codes) {
    CAPTURE(row.status);
    CHECK(static_cast<int>(row.code) == row.status);
    CHECK(to_string(row.code) == row.name);
  }
}

TEST_CASE("section 5: every error status has the phrase of RFC 9110 and RFC 6585, or that of its class") {
  using Row = std::pair<int, std::string_view>;
  for (const auto& [status, phrase] : {Row{400, "Bad Request"},
                                       Row{401, "Unauthorized"},
                                       Row{402, "Client Error"},
                                       Row{403, "Forbidden"},
                                       Row{404, "Not Found"},
                                       Row{405, "Method Not Allowed"},
                                       Row{406, "Not Acceptable"},
                                       Row{408, "Request Timeout"},
                                       Row{409, "Conflict"},
                                       Row{410, "Gone"},
                                       Row{411, "Length Required"},
                                       Row{412, "Precondition Failed"},
                                       Row{413, "Content Too Large"},
                                       Row{414, "URI Too Long"},
                                       Row{415, "Unsupported Media Type"},
                                       Row{416, "Range Not Satisfiable"},
                                       Row{422, "Unprocessable Content"},
                                       Row{428, "Precondition Required"},
                                       Row{429, "Too Many Requests"},
                                       Row{431, "Request Header Fields Too Large"},
                                       Row{499, "Client Error"},
                                       Row{500, "Internal Server Error"},
                                       Row{501, "Not Implemented"},
                                       Row{502, "Bad Gateway"},
                                       Row{503, "Service Unavailable"},
                                       Row{504, "Gateway Timeout"},
                                       Row{505, "HTTP Version Not Supported"},
                                       Row{506, "Server Error"}}) {
    CAPTURE(status);
    CHECK(reason_phrase(status) == phrase);
  }
}

TEST_CASE("section 5: bad_request is an alias of validation_error") {
  static_assert(ErrorCode::bad_request == ErrorCode::validation_error);
  CHECK(to_string(ErrorCode::bad_request) == "validation_error");
}

TEST_CASE("section 5: statuses that ErrorCode does not name are unknown") {
  for (const int status : {-1, 0, 200, 399, 402, 418, 425, 499, 505, 599, 1000}) {
    CAPTURE(status);
    CHECK(to_string(static_cast<ErrorCode>(status)) == "unknown");
  }
}

TEST_CASE("section 5: ErrorCategory counts from 1, and to_string gives exactly its words") {
  for (const auto& row : all_categories) {
    CAPTURE(row.word);
    CHECK(static_cast<int>(row.category) == row.value);
    CHECK(to_string(row.category) == row.word);
  }
  CHECK(to_string(ErrorCategory{}) == "unknown");
  CHECK(to_string(static_cast<ErrorCategory>(9)) == "unknown");
}

TEST_CASE("section 5: http_status of each category") {
  for (const auto& row : all_categories) {
    CAPTURE(row.word);
    CHECK(http_status(row.category) == row.status);
  }
  CHECK(http_status(ErrorCategory{}) == 500);
}

TEST_CASE("section 5: category_of every status") {
  const auto expected = [](int status) {
    switch (status) {
      case 401: return ErrorCategory::authentication;
      case 403: return ErrorCategory::authorization;
      case 404: return ErrorCategory::not_found;
      case 408: return ErrorCategory::network;
      case 410: return ErrorCategory::not_found;
      case 429: return ErrorCategory::rate_limit;
      case 502: return ErrorCategory::external_service;
      case 503: return ErrorCategory::external_service;
      case 504: return ErrorCategory::external_service;
      default: break;
    }
    return status / 100 == 4 && status > 0 ? ErrorCategory::validation : ErrorCategory::internal;
  };
  for (int status = -1000; status <= 1100; ++status) {
    CAPTURE(status);
    CHECK(category_of(status) == expected(status));
    CHECK(category_of(static_cast<ErrorCode>(status)) == expected(status));
  }
}

TEST_CASE("section 5: category_of is total, also at the ends of int") {
  CHECK(category_of(std::numeric_limits<int>::min()) == ErrorCategory::internal);
  CHECK(category_of(std::numeric_limits<int>::max()) == ErrorCategory::internal);
  CHECK(category_of(399) == ErrorCategory::internal);
  CHECK(category_of(400) == ErrorCategory::validation);
  CHECK(category_of(499) == ErrorCategory::validation);
  CHECK(category_of(500) == ErrorCategory::internal);
}

TEST_CASE("section 5: each ErrorCode's category") {
  for (const auto& row : all_codes) {
    CAPTURE(row.name);
    CHECK(category_of(row.code) == row.category);
  }
}

TEST_CASE("section 5: exactly 408, 429, 500, 502, 503 and 504 are retryable") {
  std::vector<int> retryable;
  for (int status = -1000; status <= 1100; ++status) {
    if (is_retryable_status(status)) retryable.push_back(status);
    CHECK(is_retryable(static_cast<ErrorCode>(status)) == is_retryable_status(status));
  }
  CHECK(retryable == std::vector<int>{408, 429, 500, 502, 503, 504});
  CHECK_FALSE(is_retryable_status(std::numeric_limits<int>::min()));
  CHECK_FALSE(is_retryable_status(std::numeric_limits<int>::max()));
  for (const auto& row : all_codes) {
    CAPTURE(row.name);
    CHECK(is_retryable(row.code) == row.retryable);
  }
}

TEST_CASE("section 5: NetworkErrc's words") {
  CHECK(to_string(NetworkErrc::connection_reset) == "connection reset");
  CHECK(to_string(NetworkErrc::timed_out) == "connection timed out");
  CHECK(to_string(NetworkErrc::host_not_found) == "host not found");
  CHECK(to_string(NetworkErrc::connection_refused) == "connection refused");
  CHECK(to_string(NetworkErrc{}) == "unknown network error");
}

TEST_CASE("section 5: PolicyErrc's words") {
  CHECK(to_string(PolicyErrc::circuit_open) == "circuit breaker is open");
  CHECK(to_string(PolicyErrc::bulkhead_full) == "bulkhead is full");
  CHECK(to_string(PolicyErrc::rate_limited) == "rate limit reached");
  CHECK(to_string(PolicyErrc::timed_out) == "timed out");
  CHECK(to_string(PolicyErrc::cancelled) == "cancelled");
  CHECK(to_string(PolicyErrc{}) == "unknown policy error");
}

TEST_CASE("section 5: the statuses of the library's own verdicts") {
  CHECK(error_code_of(PolicyErrc::circuit_open) == ErrorCode::service_unavailable);
  CHECK(error_code_of(PolicyErrc::bulkhead_full) == ErrorCode::service_unavailable);
  CHECK(error_code_of(PolicyErrc::rate_limited) == ErrorCode::rate_limit_exceeded);
  CHECK(error_code_of(PolicyErrc::timed_out) == ErrorCode::gateway_timeout);
  CHECK(error_code_of(PolicyErrc::cancelled) == ErrorCode::service_unavailable);
}

TEST_CASE("section 5: the rules are known at compile time and never throw") {
  static_assert(to_string(ErrorCode::not_found) == "not_found");
  static_assert(to_string(ErrorCategory::rate_limit) == "rate_limit");
  static_assert(to_string(NetworkErrc::timed_out) == "connection timed out");
  static_assert(to_string(PolicyErrc::cancelled) == "cancelled");
  static_assert(http_status(ErrorCategory::network) == 500);
  static_assert(category_of(410) == ErrorCategory::not_found);
  static_assert(category_of(ErrorCode::gone) == ErrorCategory::not_found);
  static_assert(is_retryable_status(504) && !is_retryable_status(505));
  static_assert(is_retryable(ErrorCode::request_timeout) && !is_retryable(ErrorCode::not_implemented));
  static_assert(error_code_of(PolicyErrc::timed_out) == ErrorCode::gateway_timeout);

  static_assert(noexcept(to_string(ErrorCode{})));
  static_assert(noexcept(to_string(ErrorCategory{})));
  static_assert(noexcept(to_string(NetworkErrc{})));
  static_assert(noexcept(to_string(PolicyErrc{})));
  static_assert(noexcept(http_status(ErrorCategory{})));
  static_assert(noexcept(category_of(0)));
  static_assert(noexcept(category_of(ErrorCode{})));
  static_assert(noexcept(is_retryable(ErrorCode{})));
  static_assert(noexcept(is_retryable_status(0)));
  static_assert(noexcept(make_error_code(ErrorCode{})));
  static_assert(noexcept(make_error_code(NetworkErrc{})));
  static_assert(noexcept(make_error_code(PolicyErrc{})));
  static_assert(noexcept(make_error_condition(ErrorCategory{})));
  SUCCEED();
}

// Citizens of <system_error>.

TEST_CASE("E1 ErrorCode, NetworkErrc and PolicyErrc are error codes, ErrorCategory is a condition") {
  static_assert(std::is_error_code_enum_v<ErrorCode>);
  static_assert(std::is_error_code_enum_v<NetworkErrc>);
  static_assert(std::is_error_code_enum_v<PolicyErrc>);
  static_assert(std::is_error_condition_enum_v<ErrorCategory>);
  static_assert(!std::is_error_code_enum_v<ErrorCategory>);
  static_assert(!std::is_error_condition_enum_v<ErrorCode>);
  static_assert(!std::is_error_condition_enum_v<NetworkErrc>);
  static_assert(!std::is_error_condition_enum_v<PolicyErrc>);
  static_assert(std::is_convertible_v<ErrorCode, std::error_code>);
  static_assert(std::is_convertible_v<NetworkErrc, std::error_code>);
  static_assert(std::is_convertible_v<PolicyErrc, std::error_code>);
  static_assert(std::is_convertible_v<ErrorCategory, std::error_condition>);
  static_assert(!std::is_convertible_v<ErrorCategory, std::error_code>);
  SUCCEED();
}

TEST_CASE("E1 an ErrorCode makes an error_code whose value is the HTTP status") {
  for (const auto& row : all_codes) {
    CAPTURE(row.name);
    const std::error_code code = row.code;
    CHECK(code.value() == row.status);
    CHECK(code.category() == api_error_category());
    CHECK(code == make_error_code(row.code));
    CHECK(code);
    for (const auto& other : all_codes) CHECK(is(code, other.code) == (other.code == row.code));
  }
}

TEST_CASE("E1 a NetworkErrc makes an error_code that is set and equals no other") {
  for (const NetworkErrc errc : all_network) {
    CAPTURE(to_string(errc));
    const std::error_code code = errc;
    CHECK(code.value() == static_cast<int>(errc));
    CHECK(code.category() == network_error_category());
    CHECK(code == make_error_code(errc));
    CHECK(code);
    for (const NetworkErrc other : all_network) CHECK(is(code, other) == (other == errc));
    for (const PolicyErrc other : all_policy) CHECK_FALSE(is(code, other));
  }
}

TEST_CASE("E1 a PolicyErrc makes an error_code that is set and equals no other") {
  for (const PolicyErrc errc : all_policy) {
    CAPTURE(to_string(errc));
    const std::error_code code = errc;
    CHECK(code.value() == static_cast<int>(errc));
    CHECK(code.category() == policy_error_category());
    CHECK(code == make_error_code(errc));
    CHECK(code);
    for (const PolicyErrc other : all_policy) CHECK(is(code, other) == (other == errc));
    for (const NetworkErrc other : all_network) CHECK_FALSE(is(code, other));
    for (const auto& other : all_codes) CHECK_FALSE(is(code, other.code));
  }
}

TEST_CASE("E1 an error code can be assigned, thrown in a system_error and compared when caught") {
  std::error_code code;
  code = NetworkErrc::connection_refused;
  CHECK(code == NetworkErrc::connection_refused);
  try {
    throw std::system_error{PolicyErrc::circuit_open, "orders"};
  } catch (const std::system_error& error) {
    CHECK(error.code() == PolicyErrc::circuit_open);
    CHECK(std::string_view{error.what()} == "orders: circuit breaker is open");
  }
}

TEST_CASE("E1 the messages of error codes") {
  CHECK(make_error_code(ErrorCode::not_found).message() == "HTTP status 404 (not_found)");
  CHECK(make_error_code(ErrorCode::bad_request).message() == "HTTP status 400 (validation_error)");
  CHECK(std::error_code(418, api_error_category()).message() == "HTTP status 418");
  CHECK(make_error_code(NetworkErrc::host_not_found).message() == "host not found");
  CHECK(std::error_code(99, network_error_category()).message() == "unknown network error");
  CHECK(make_error_code(PolicyErrc::bulkhead_full).message() == "bulkhead is full");
  CHECK(std::error_code(99, policy_error_category()).message() == "unknown policy error");
  for (const auto& row : all_categories) CHECK(make_error_condition(row.category).message() == row.word);
  CHECK(std::error_condition(99, error_condition_category()).message() == "unknown");
}

TEST_CASE("E1 each category is one object with a name of its own") {
  const std::error_category* const categories[] = {&api_error_category(), &network_error_category(),
                                                   &policy_error_category(), &error_condition_category()};
  const std::error_category* const again[] = {&api_error_category(), &network_error_category(),
                                              &policy_error_category(), &error_condition_category()};
  const char* const names[] = {"fusebox.http", "fusebox.network", "fusebox.policy", "fusebox.category"};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(categories[i] == again[i]);
    CHECK(std::string_view{categories[i]->name()} == names[i]);
    for (std::size_t other = 0; other < i; ++other) CHECK(*categories[i] != *categories[other]);
  }
  static_assert(noexcept(api_error_category()));
  static_assert(noexcept(network_error_category()));
  static_assert(noexcept(policy_error_category()));
  static_assert(noexcept(error_condition_category()));
}

TEST_CASE("E1 an ErrorCategory makes a condition of its own category") {
  for (const auto& row : all_categories) {
    const std::error_condition condition = row.category;
    CHECK(condition.value() == row.value);
    CHECK(condition.category() == error_condition_category());
    CHECK(condition == make_error_condition(row.category));
    for (const auto& other : all_categories) {
      CHECK((condition == other.category) == (other.category == row.category));
    }
  }
}

TEST_CASE("E1 every ErrorCode is of exactly its category") {
  for (const auto& row : all_codes) {
    CAPTURE(row.name);
    CHECK(categories_of(row.code) == Only{row.category});
  }
}

TEST_CASE("E1 HTTP statuses that ErrorCode does not name have their category too") {
  CHECK(categories_of({418, api_error_category()}) == Only{ErrorCategory::validation});
  CHECK(categories_of({451, api_error_category()}) == Only{ErrorCategory::validation});
  CHECK(categories_of({505, api_error_category()}) == Only{ErrorCategory::internal});
  CHECK(categories_of({599, api_error_category()}) == Only{ErrorCategory::internal});
}

TEST_CASE("E1 every NetworkErrc is of category network, and of no other") {
  for (const NetworkErrc errc : all_network) {
    CAPTURE(to_string(errc));
    CHECK(categories_of(errc) == Only{ErrorCategory::network});
  }
}

TEST_CASE("E1 the POSIX errors are of category network, whichever category they come in") {
  for (const int number : {ECONNRESET, ETIMEDOUT, ECONNREFUSED}) {
    CAPTURE(std::strerror(number));
    CHECK(categories_of(generic_error(number)) == Only{ErrorCategory::network});
    CHECK(categories_of(system_error(number)) == Only{ErrorCategory::network});
    const PosixLikeCategory foreign;
    CHECK(categories_of({number, foreign}) == Only{ErrorCategory::network});
  }
  CHECK(categories_of(std::make_error_code(std::errc::connection_reset)) == Only{ErrorCategory::network});
  CHECK(categories_of(std::make_error_code(std::errc::timed_out)) == Only{ErrorCategory::network});
  CHECK(categories_of(std::make_error_code(std::errc::connection_refused)) == Only{ErrorCategory::network});
}

TEST_CASE("E1 other errors of the system and of other libraries are of no category") {
  for (const int number : {ENOENT, EACCES, EINVAL, ENOMEM, EPIPE, ECANCELED, EAGAIN}) {
    CAPTURE(std::strerror(number));
    CHECK(categories_of(generic_error(number)) == no_category);
    CHECK(categories_of(system_error(number)) == no_category);
  }
  CHECK(categories_of(std::make_error_code(std::future_errc::broken_promise)) == no_category);
  CHECK(categories_of(std::make_error_code(std::io_errc::stream)) == no_category);
  const ForeignCategory foreign{"somebody.else"};
  for (const int value : {1, 2, 104, 110, 111, 404, 503})
    CHECK(categories_of({value, foreign}) == no_category);
}

TEST_CASE("E1 a code that is not set is of no category") {
  CHECK(categories_of({}) == no_category);
  for (const auto* category : {&std::generic_category(), &api_error_category(), &network_error_category(),
                               &policy_error_category()}) {
    CAPTURE(category->name());
    CHECK(categories_of({0, *category}) == no_category);
  }
}

TEST_CASE("E1 host-not-found of Asio and Boost.Asio is recognised by the category's name") {
  for (const char* name : {"asio.netdb", "boost.asio.netdb"}) {
    CAPTURE(name);
    const ForeignCategory netdb{name};
    CHECK(categories_of({1, netdb}) == Only{ErrorCategory::network});  // HOST_NOT_FOUND
    CHECK(categories_of({2, netdb}) == Only{ErrorCategory::network});  // TRY_AGAIN
    CHECK(categories_of({0, netdb}) == no_category);
    CHECK(categories_of({3, netdb}) == no_category);  // NO_RECOVERY
    CHECK(categories_of({4, netdb}) == no_category);  // NO_DATA
  }
}

TEST_CASE("E1 the name must be exactly that of Asio's category") {
  for (const char* name :
       {"asio.misc", "asio.addrinfo", "netdb", "asio.netdb2", "my.asio.netdb", "ASIO.NETDB", ""}) {
    CAPTURE(name);
    const ForeignCategory other{name};
    CHECK(categories_of({1, other}) == no_category);
    CHECK(categories_of({2, other}) == no_category);
  }
}

TEST_CASE("E1 the name of the category counts, not the address of its text") {
  std::array<char, 11> name{"asio.netdb"};
  const ForeignCategory netdb{name.data()};
  CHECK(categories_of({1, netdb}) == Only{ErrorCategory::network});
}

TEST_CASE("E1 a NetworkErrc equals its POSIX condition, and only that") {
  const std::pair<NetworkErrc, std::errc> twins[] = {
      {NetworkErrc::connection_reset, std::errc::connection_reset},
      {NetworkErrc::timed_out, std::errc::timed_out},
      {NetworkErrc::connection_refused, std::errc::connection_refused},
  };
  for (const NetworkErrc errc : all_network) {
    CAPTURE(to_string(errc));
    for (const auto& [twin, posix] : twins) CHECK(is(errc, posix) == (twin == errc));
    CHECK_FALSE(is(errc, std::errc::operation_canceled));
  }
}

TEST_CASE("E1 the library's verdicts are of the category of their status") {
  CHECK(categories_of(PolicyErrc::circuit_open) == Only{ErrorCategory::external_service});
  CHECK(categories_of(PolicyErrc::bulkhead_full) == Only{ErrorCategory::external_service});
  CHECK(categories_of(PolicyErrc::rate_limited) == Only{ErrorCategory::rate_limit});
  CHECK(categories_of(PolicyErrc::timed_out) == Only{ErrorCategory::external_service});
  CHECK(categories_of(PolicyErrc::cancelled) == Only{ErrorCategory::external_service});
}

TEST_CASE("E1 cancelled is operation_canceled and timed_out is timed_out; the rejections have no twin") {
  for (const PolicyErrc errc : all_policy) {
    CAPTURE(to_string(errc));
    CHECK(is(errc, std::errc::operation_canceled) == (errc == PolicyErrc::cancelled));
    CHECK(is(errc, std::errc::timed_out) == (errc == PolicyErrc::timed_out));
    CHECK_FALSE(is(errc, std::errc::connection_refused));
  }
}

TEST_CASE("E1 no verdict and no ErrorCode is a network error, whatever its POSIX twin is") {
  for (const auto errc : {PolicyErrc::circuit_open, PolicyErrc::timed_out, PolicyErrc::cancelled}) {
    CHECK_FALSE(detail::is_network_error(make_error_code(errc)));
  }
  CHECK_FALSE(detail::is_network_error(make_error_code(ErrorCode::request_timeout)));
  CHECK(detail::is_network_error(make_error_code(NetworkErrc::host_not_found)));
  CHECK(detail::is_network_error(std::make_error_code(std::errc::timed_out)));
}

TEST_CASE("E1 the POSIX twins of a verdict are not the verdict") {
  CHECK_FALSE(is(std::make_error_code(std::errc::operation_canceled), PolicyErrc::cancelled));
  CHECK_FALSE(is(std::make_error_code(std::errc::timed_out), PolicyErrc::timed_out));
  CHECK_FALSE(is(std::make_error_code(std::errc::timed_out), NetworkErrc::timed_out));
  CHECK_FALSE(is(PolicyErrc::timed_out, NetworkErrc::timed_out));
  CHECK_FALSE(is(NetworkErrc::timed_out, PolicyErrc::timed_out));
}

#include <fusebox/adapters/boost_system.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <string>

#include "catch.hpp"

using namespace fusebox;
using boost::system::error_code;
using boost::system::error_condition;
namespace errc = boost::system::errc;

namespace {

/// A category of another library of Boost.
class NamedCategory final : public boost::system::error_category {
 public:
  explicit NamedCategory(const char* name) : name_{name} {}
  [[nodiscard]] const char* name() const noexcept override { return name_; }
  [[nodiscard]] std::string message(int) const override { return "of its own"; }

 private:
  const char* name_;
};

const NamedCategory netdb{"asio.netdb"};
const NamedCategory misc{"asio.misc"};
const NamedCategory tls{"asio.ssl.stream"};
const NamedCategory beast{"boost.beast"};
const NamedCategory beast_http{"beast.http"};
const NamedCategory other{"other"};

/// As boost::system::result, which Boost has since 1.79.
template <class T, class E = error_code>
class Result {
 public:
  using value_type = T;
  using error_type = E;
  Result(T value) : value_{std::move(value)}, has_value_{true} {}   // NOLINT(*-explicit-*)
  Result(E error) : error_{std::move(error)}, has_value_{false} {}  // NOLINT(*-explicit-*)
  [[nodiscard]] bool has_value() const noexcept { return has_value_; }
  [[nodiscard]] bool has_error() const noexcept { return !has_value_; }
  [[nodiscard]] explicit operator bool() const noexcept { return has_value_; }
  [[nodiscard]] const T& operator*() const { return value_; }
  [[nodiscard]] E error() const { return has_value_ ? E{} : error_; }

 private:
  T value_{};
  E error_{};
  bool has_value_;
};

template <class T>
std::optional<Failure> judge(const T& value) {
  return failure_traits<T>::failure(value);
}

/// What a retry leaves of an op that always gives `value`: the attempts, of two.
template <class T>
int attempts(const T& value) {
  return retry_with_backoff([&] { return value; }, {.max_retries = 1}, test::FakeClock{}).stats.attempts;
}

template <class T>
CircuitBreakerStats stats_after(const T& value) {
  CircuitBreaker<test::FakeClock> breaker{"peer", {}, test::FakeClock{}};
  (void)breaker.execute([&] { return value; });
  return breaker.stats();
}

template <class T>
Failure thrown(const T& value) {
  try {
    throw value;
  } catch (...) {
    return Failure::from_current_exception();
  }
}

}  // namespace

TEST_CASE("H65 a boost::system::error_code that op returns is a failure if it is set", "[H65]") {
  CHECK_FALSE(judge(error_code{}));
  const error_code refused = make_error_code(errc::connection_refused);
  REQUIRE(judge(refused));
  CHECK(judge(refused)->code() == std::errc::connection_refused);
  CHECK(judge(refused)->category() == ErrorCategory::network);
  CHECK(attempts(refused) == 2);
  CHECK(attempts(error_code{}) == 1);
  CHECK(stats_after(refused).failure_count == 1);
  CHECK(stats_after(error_code{}).success_count == 1);
}

TEST_CASE("H65 the system's and the generic category keep their numbers", "[H65]") {
  for (const auto* category : {&boost::system::system_category(), &boost::system::generic_category()}) {
    const auto of = [&](errc::errc_t value) { return *judge(error_code{value, *category}); };
    CHECK(of(errc::timed_out).is_timeout());
    CHECK(of(errc::connection_reset).is_transient());
    CHECK(of(errc::host_unreachable).is_transient());
    CHECK(of(errc::operation_canceled).is_cancellation());
    CHECK_FALSE(of(errc::permission_denied).is_transient());
    CHECK(of(errc::permission_denied).code() == std::errc::permission_denied);
  }
  CHECK(stats_after(make_error_code(errc::operation_canceled)).ignored_count == 1);
}

TEST_CASE("H65 categories of Asio", "[H65]") {
  CHECK(judge(error_code{1, netdb})->is_transient());
  CHECK(judge(error_code{2, netdb})->category() == ErrorCategory::network);
  CHECK_FALSE(judge(error_code{3, netdb})->is_transient());
  CHECK_FALSE(judge(error_code{2, misc})->is_transient());  // eof: only the program knows
  CHECK(judge(error_code{1, tls})->code() == NetworkErrc::connection_reset);
  CHECK_FALSE(judge(error_code{2, tls})->is_transient());
}

TEST_CASE("H65 H31 codes of Beast are known without an include of Beast", "[H65][H31]") {
  CHECK(judge(error_code{1, beast})->code() == NetworkErrc::timed_out);
  CHECK(judge(error_code{1, beast_http})->code() == NetworkErrc::connection_reset);
  CHECK(judge(error_code{2, beast_http})->code() == NetworkErrc::connection_reset);
  CHECK_FALSE(judge(error_code{14, beast_http})->is_transient());
  CHECK_FALSE(judge(error_code{5, beast_http}));
  CHECK_FALSE(judge(error_code{6, beast_http}));
  CHECK(judge(error_code{5, other}));
  CHECK_FALSE(judge(error_code{1, other})->is_transient());
  CHECK(judge(error_code{1, other})->message() == "of its own");
}

TEST_CASE("H65 an error_condition and an errc are judged as the code with their number", "[H65]") {
  CHECK_FALSE(judge(error_condition{}));
  CHECK(judge(make_error_condition(errc::timed_out))->is_timeout());
  CHECK_FALSE(judge(make_error_condition(errc::permission_denied))->is_transient());
  CHECK(attempts(make_error_condition(errc::connection_reset)) == 2);
  CHECK_FALSE(judge(errc::success));
  CHECK(judge(errc::connection_reset)->code() == std::errc::connection_reset);
  CHECK(attempts(errc::connection_reset) == 2);
}

TEST_CASE("H65 F1 a boost::system::result fails with its error", "[H65][F1]") {
  CHECK(attempts(Result<int>{7}) == 1);
  CHECK(attempts(Result<int>{make_error_code(errc::timed_out)}) == 2);
  CHECK(attempts(Result<int>{error_code{2, beast_http}}) == 2);
  CHECK(attempts(Result<int>{make_error_code(errc::permission_denied)}) == 1);
  CHECK(stats_after(Result<int>{error_code{5, beast_http}}).failure_count == 1);  // no value all the same
  CHECK(stats_after(Result<int>{make_error_code(errc::operation_canceled)}).ignored_count == 1);
  CHECK(attempts(Result<int, error_condition>{make_error_condition(errc::timed_out)}) == 2);
  CHECK(attempts(Result<int, std::error_code>{make_error_code(std::errc::timed_out)}) == 2);
}

TEST_CASE("H65 F6 what is thrown means the same", "[H65][F6]") {
  CHECK(thrown(boost::system::system_error{error_code{1, beast}}).is_timeout());
  CHECK(thrown(error_code{2, beast_http}).code() == NetworkErrc::connection_reset);
  CHECK(thrown(make_error_condition(errc::timed_out)).is_timeout());
  CHECK(thrown(errc::connection_refused).is_transient());
  const auto kept = thrown(boost::system::system_error{make_error_code(errc::permission_denied), "the key"});
  CHECK(kept.code() == std::errc::permission_denied);
  CHECK(kept.message().find("the key") != std::string::npos);
}

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/failure/translate.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "support/thrown.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::thrown;

namespace {

/// The exceptions of a database.
struct DbError : std::runtime_error {
  explicit DbError(int code) : std::runtime_error{"db"}, number{code} {}
  int number;
};
struct NumberedTwice {};

std::atomic<int> asked{0};

std::optional<Failure> first(const std::exception_ptr& exception) {
  ++asked;
  try {
    std::rethrow_exception(exception);
  } catch (const DbError& error) {
    switch (error.number) {
      case 1: return Failure{NetworkErrc::connection_reset};
      case 2: return Failure{PolicyErrc::cancelled};
      case 3: return Failure::from_status(503, 7s);
      case 4: return Failure{ApiError{ErrorCode::conflict, "secret"}.with_retry_after(3s)};
      default: return std::nullopt;
    }
  } catch (const NumberedTwice&) {
    return Failure{std::make_error_code(std::errc::invalid_argument)};
  } catch (...) {
    return std::nullopt;
  }
}

std::optional<Failure> second(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const NumberedTwice&) {
    return Failure{NetworkErrc::timed_out};
  } catch (...) {
    return std::nullopt;
  }
}

std::optional<Failure> throwing(const std::exception_ptr&) { throw std::bad_alloc{}; }

const bool registered = [] {
  register_failure_translator(&first);
  register_failure_translator(&second);
  register_failure_translator(nullptr);
  register_failure_translator(&throwing);
  return true;
}();

template <class Outer, class Inner>
Failure nested(const Outer& outer, const Inner& inner) {
  try {
    try {
      throw inner;
    } catch (...) {
      std::throw_with_nested(outer);
    }
  } catch (...) {
    return Failure::from_current_exception();
  }
}

}  // namespace

TEST_CASE("F6 a translator says what an exception stands for", "[F6]") {
  REQUIRE(registered);
  CHECK(thrown(DbError{1}).code() == NetworkErrc::connection_reset);
  CHECK(thrown(DbError{1}).category() == ErrorCategory::network);
  CHECK(thrown(DbError{1}).is_transient());
  CHECK(thrown(DbError{2}).is_cancellation());
  CHECK(thrown(DbError{3}).status() == 503);
  CHECK(thrown(DbError{3}).retry_after() == 7s);
  CHECK(thrown(DbError{3}).is_transient());
  CHECK(thrown(DbError{4}).status() == 409);
  CHECK(thrown(DbError{4}).retry_after() == 3s);
}

TEST_CASE("F6 the exception and its text stay those that were thrown", "[F6]") {
  const Failure failure = thrown(DbError{4});
  CHECK(failure.message() == "db");
  CHECK(failure.exception());
  CHECK_THROWS_AS(failure.rethrow(), DbError);
}

TEST_CASE("F6 an exception that no translator knows has no code", "[F6]") {
  CHECK_FALSE(thrown(DbError{5}).code());
  CHECK_FALSE(thrown(42).code());
  CHECK_FALSE(thrown(std::runtime_error{"text"}).is_transient());
}

TEST_CASE("F6 the latest translator is asked first, and one that throws does not know", "[F6]") {
  CHECK(thrown(NumberedTwice{}).is_timeout());
}

TEST_CASE("F6 no translator is asked about exceptions that the library knows", "[F6]") {
  asked = 0;
  CHECK(thrown(ApiError{ErrorCode::gone}).status() == 410);
  CHECK(thrown(std::system_error{std::make_error_code(std::errc::timed_out)}).is_timeout());
  CHECK(thrown(make_error_code(ErrorCode::gone)).status() == 410);
  CHECK(thrown(ConfigError{"text"}).is_config_error());
  CHECK(asked == 0);
}

TEST_CASE("F6 policies judge by what a translator says", "[F6]") {
  const test::FakeClock clock;
  CircuitBreaker<test::FakeClock> breaker{"db", {.failure_threshold = 1}, clock};
  CHECK_THROWS_AS(breaker.execute([] { throw DbError{2}; }, [] {}), DbError);
  CHECK(breaker.stats().ignored_count == 1);
  const auto attempts = [&](int number) {
    return try_retry_with_backoff([&] { throw DbError{number}; }, {.max_retries = 2}, clock).stats.attempts;
  };
  CHECK(attempts(1) == 3);
  CHECK(attempts(2) == 1);
  CHECK(attempts(5) == 1);
}

TEST_CASE("F6 a nested exception is looked into if the outer one is unknown", "[F6]") {
  const std::runtime_error outer{"cannot read the stock"};
  const auto refused = nested(outer, std::system_error{std::make_error_code(std::errc::connection_refused)});
  CHECK(refused.code() == std::errc::connection_refused);
  CHECK(refused.is_transient());
  CHECK(refused.message() == "cannot read the stock");
  CHECK_THROWS_AS(refused.rethrow(), std::runtime_error);
  CHECK(nested(outer, ApiError{ErrorCode::service_unavailable}.with_retry_after(5s)).retry_after() == 5s);
  CHECK(nested(outer, ApiError{ErrorCode::not_found}).status() == 404);
  CHECK(nested(outer, CircuitOpenError{"b"}).is_rejection());
  CHECK(nested(outer, CancelledError{}).is_cancellation());
  CHECK(nested(outer, DbError{1}).is_transient());
  CHECK_FALSE(nested(outer, 42).code());

  CHECK(nested(ApiError{ErrorCode::not_found}, CancelledError{}).status() == 404);
  CHECK(nested(DbError{1}, CancelledError{}).code() == NetworkErrc::connection_reset);
  CHECK(nested(DbError{5}, CancelledError{}).is_cancellation());
}

TEST_CASE("F6 a chain of nested exceptions is followed to the first that is known", "[F6]") {
  const auto deep = [] {
    try {
      try {
        throw TimeoutError{};
      } catch (...) {
        std::throw_with_nested(std::runtime_error{"inner"});
      }
    } catch (...) {
      std::throw_with_nested(std::logic_error{"outer"});
    }
  };
  try {
    deep();
  } catch (...) {
    CHECK(Failure::from_current_exception().is_timeout());
    CHECK(Failure::from_current_exception().message() == "outer");
  }
  struct Empty : std::nested_exception {};  // made outside of any handler
  CHECK_FALSE(thrown(Empty{}).code());
}

TEST_CASE("F6 translators may be registered while others are asked", "[F6]") {
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 50; ++j) {
        register_failure_translator(&second);
        if (!thrown(DbError{2}).is_cancellation()) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
}

#include <fusebox/failure.hpp>
#include <fusebox/failure/failure.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/threads.hpp"
#include "support/thrown.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::thrown;

namespace {

constexpr auto noon = std::chrono::sys_days{std::chrono::year{2025} / 1 / 7} + 12h;

/// What a failure says of itself.
struct Seen {
  std::error_code code = {};
  ErrorCategory category = ErrorCategory::internal;
  std::optional<int> status = std::nullopt;
  std::optional<std::chrono::seconds> retry_after = std::nullopt;
  std::string message = {};
};

void check_seen(const Failure& failure, const Seen& expected) {
  CAPTURE(expected.message);
  CHECK(failure.code() == expected.code);
  CHECK(failure.category() == expected.category);
  CHECK(failure.status() == expected.status);
  CHECK(failure.retry_after() == expected.retry_after);
  CHECK(failure.message() == expected.message);
}

/// Calls `look` with what rethrow() throws; any type but E fails the test.
template <class E, class Look>
void check_rethrown(const Failure& failure, Look look) {
  bool is_exact = false;
  try {
    failure.rethrow();
  } catch (const E& error) {
    if constexpr (std::is_polymorphic_v<E>) {
      is_exact = typeid(error) == typeid(E);
    } else {
      is_exact = true;
    }
    look(error);
  } catch (...) {
  }
  CHECK(is_exact);
}

template <class E>
void check_rethrown(const Failure& failure) {
  check_rethrown<E>(failure, [](const E&) {});
}

/// Throws a copy of `error` and looks at the original, the failure made of it, and what that rethrows.
template <class E>
void check_same_object(const E& error) {
  try {
    throw error;
  } catch (const E& original) {
    const Failure failure = Failure::from_current_exception();
    CHECK(failure.exception() == std::current_exception());
    check_rethrown<E>(failure, [&](const E& again) { CHECK(&again == &original); });
    check_rethrown<E>(Failure{failure}, [&](const E& again) { CHECK(&again == &original); });
  }
}

/// An error of the library gives the same thrown, thrown as its ApiError part, and as a value.
template <class E>
void check_library_error(const E& error, const Seen& expected) {
  const ApiError sliced = error;
  check_seen(thrown(error), expected);
  check_seen(thrown(sliced), expected);
  check_seen(Failure{error}, expected);
  check_seen(Failure{sliced}, expected);

  check_same_object(error);
  check_same_object(sliced);
  check_rethrown<E>(Failure{error});
  check_rethrown<E>(Failure{sliced});
}

/// A program's own error, with more in it than an ApiError has.
struct OutOfStock : ApiError {
  explicit OutOfStock(int sku) : ApiError{ErrorCode::conflict, "out of stock"}, article{sku} {}
  int article;
};

/// Counts what is done with it.
struct Counting : std::exception {
  Counting(int& made_copies, int& asked_texts) : copies{&made_copies}, texts{&asked_texts} {}
  Counting(const Counting& other) : std::exception{other}, copies{other.copies}, texts{other.texts} {
    ++*copies;
  }
  Counting& operator=(const Counting&) = delete;
  [[nodiscard]] const char* what() const noexcept override {
    ++*texts;
    return "counted";
  }
  int* copies;
  int* texts;
};

}  // namespace

TEST_CASE("F9 an ApiError gives its reason, category, status, Retry-After and message", "[F9]") {
  const ApiError busy = ApiError{ErrorCode::rate_limit_exceeded, "slow down"}.with_retry_after(17s);
  check_library_error(busy, {.code = make_error_code(ErrorCode::rate_limit_exceeded),
                             .category = ErrorCategory::rate_limit,
                             .status = 429,
                             .retry_after = 17s,
                             .message = "slow down"});
  check_library_error(ApiError{ErrorCode::gone}, {.code = make_error_code(ErrorCode::gone),
                                                  .category = ErrorCategory::not_found,
                                                  .status = 410,
                                                  .message = "Gone"});
}

TEST_CASE("F9 an ApiError keeps a status without an ErrorCode", "[F9]") {
  check_library_error(ApiError{static_cast<ErrorCode>(418), "teapot"}, {.code = {418, http_category()},
                                                                        .category = ErrorCategory::validation,
                                                                        .status = 418,
                                                                        .message = "teapot"});
}

TEST_CASE("F9 an ApiError gives its own category, not that of its code", "[F9]") {
  const ApiError error =
      ApiError{ErrorCode::internal_server_error, "reset"}.with_category(ErrorCategory::network);
  check_library_error(error, {.code = make_error_code(ErrorCode::internal_server_error),
                              .category = ErrorCategory::network,
                              .status = 500,
                              .message = "reset"});
}

TEST_CASE("F9 an ApiError gives its own reason, not its code", "[F9]") {
  const std::error_code denied = std::make_error_code(std::errc::permission_denied);
  check_library_error(
      ApiError{ErrorCode::bad_gateway, "Gone", denied, noon},
      {.code = denied, .category = ErrorCategory::external_service, .status = 502, .message = "Gone"});
}

TEST_CASE("F9 an ApiError about a network error has no status, since nobody answered", "[F9]") {
  for (const std::error_code code : {make_error_code(NetworkErrc::connection_refused),
                                     std::make_error_code(std::errc::connection_reset)}) {
    check_library_error(ApiError{ErrorCode::bad_gateway, "refused", code, noon},
                        {.code = code, .category = ErrorCategory::external_service, .message = "refused"});
  }
}

TEST_CASE("F9 each of the library's errors keeps its type and identity, also sliced", "[F9]") {
  check_library_error(CircuitOpenError{"payments", 30s}, {.code = make_error_code(PolicyErrc::circuit_open),
                                                          .category = ErrorCategory::external_service,
                                                          .status = 503,
                                                          .retry_after = 30s,
                                                          .message = "circuit breaker 'payments' is open"});
  check_library_error(BulkheadFullError{"pool"}, {.code = make_error_code(PolicyErrc::bulkhead_full),
                                                  .category = ErrorCategory::external_service,
                                                  .status = 503,
                                                  .message = "bulkhead 'pool' is full"});
  check_library_error(RateLimitedError{"mail", 2s}, {.code = make_error_code(PolicyErrc::rate_limited),
                                                     .category = ErrorCategory::rate_limit,
                                                     .status = 429,
                                                     .retry_after = 2s,
                                                     .message = "rate limit 'mail' reached"});
  check_library_error(ThrottledError{"mail", 2s}, {.code = make_error_code(PolicyErrc::throttled),
                                                   .category = ErrorCategory::external_service,
                                                   .status = 503,
                                                   .retry_after = 2s,
                                                   .message = "throttle 'mail' rejected the call"});
  check_library_error(TimeoutError{}, {.code = make_error_code(PolicyErrc::timed_out),
                                       .category = ErrorCategory::external_service,
                                       .status = 504,
                                       .message = "timed out"});
  check_library_error(CancelledError{}, {.code = make_error_code(PolicyErrc::cancelled),
                                         .category = ErrorCategory::external_service,
                                         .status = 503,
                                         .message = "cancelled"});
}

TEST_CASE("F9 a rejection is rethrown with the name of its policy", "[F9]") {
  check_rethrown<CircuitOpenError>(Failure{ApiError{CircuitOpenError{"payments", 30s}}},
                                   [](const CircuitOpenError& error) {
                                     CHECK(error.name() == "payments");
                                     CHECK(error.retry_after() == 30s);
                                   });
  check_rethrown<BulkheadFullError>(Failure{BulkheadFullError{"pool"}},
                                    [](const BulkheadFullError& error) { CHECK(error.name() == "pool"); });
}

TEST_CASE("F9 a thrown std::system_error gives its code", "[F9]") {
  for (const auto* category : {&std::generic_category(), &std::system_category()}) {
    const std::error_code reset{ECONNRESET, *category};
    check_seen(thrown(std::system_error{reset, "read"}),
               {.code = reset,
                .category = ErrorCategory::network,
                .message = std::system_error{reset, "read"}.what()});
  }
  const std::error_code denied = std::make_error_code(std::errc::permission_denied);
  check_seen(thrown(std::system_error{denied}), {.code = denied, .message = denied.message()});

  const std::filesystem::filesystem_error derived{"open", denied};
  check_seen(thrown(derived), {.code = denied, .message = derived.what()});
  check_same_object(derived);
}

TEST_CASE("F9 a thrown std::system_error of the library's codes gives what they stand for", "[F9]") {
  check_seen(thrown(std::system_error{ErrorCode::not_found, "get"}),
             {.code = make_error_code(ErrorCode::not_found),
              .category = ErrorCategory::not_found,
              .status = 404,
              .message = "get: HTTP status 404 (not_found)"});
  check_seen(thrown(std::system_error{NetworkErrc::host_not_found}),
             {.code = make_error_code(NetworkErrc::host_not_found),
              .category = ErrorCategory::network,
              .message = "host not found"});
  check_seen(thrown(std::system_error{PolicyErrc::circuit_open}),
             {.code = make_error_code(PolicyErrc::circuit_open),
              .category = ErrorCategory::external_service,
              .status = 503,
              .message = "circuit breaker is open"});
}

TEST_CASE("F9 a thrown std::error_code gives that code", "[F9]") {
  const std::error_code refused = std::make_error_code(std::errc::connection_refused);
  check_seen(thrown(refused),
             {.code = refused, .category = ErrorCategory::network, .message = refused.message()});
  check_seen(thrown(make_error_code(ErrorCode::conflict)), {.code = make_error_code(ErrorCode::conflict),
                                                            .category = ErrorCategory::validation,
                                                            .status = 409,
                                                            .message = "HTTP status 409 (conflict)"});
  check_same_object(refused);
}

TEST_CASE("F9 an unknown exception has no code and is internal", "[F9]") {
  check_seen(thrown(std::runtime_error{"out of paper"}), {.message = "out of paper"});
  check_seen(thrown(std::out_of_range{"index"}), {.message = "index"});
  check_seen(thrown(std::bad_alloc{}), {.message = std::bad_alloc{}.what()});
  check_seen(thrown(42), {.message = "unknown exception"});
  check_seen(thrown("text"), {.message = "unknown exception"});
  check_seen(thrown(std::errc::timed_out), {.message = "unknown exception"});

  check_same_object(std::runtime_error{"out of paper"});
  check_same_object(42);
  check_same_object(std::string{"text"});
}

TEST_CASE("F9 outside of a handler there is neither exception nor code", "[F9]") {
  const Failure failure = Failure::from_current_exception();
  CHECK(failure.exception() == nullptr);
  check_seen(failure, {.message = "failed without an error code"});
  check_seen(Failure::from_exception(nullptr), {.message = "failed without an error code"});
  check_rethrown<ApiError>(failure, [](const ApiError& error) {
    CHECK(error.code() == ErrorCode::internal_server_error);
    CHECK(error.category() == ErrorCategory::internal);
  });
}

TEST_CASE("F9 a program's own error derived from ApiError is rethrown whole", "[F9]") {
  check_same_object(OutOfStock{4711});
  const Failure failure = thrown(OutOfStock{4711});
  CHECK(failure.status() == 409);
  check_rethrown<OutOfStock>(failure, [](const OutOfStock& error) { CHECK(error.article == 4711); });
}

TEST_CASE("F9 a status gives itself, its category, and the given Retry-After", "[F9]") {
  for (const auto& [status, message] :
       {std::pair{404, "HTTP status 404 (not_found)"}, std::pair{408, "HTTP status 408 (request_timeout)"},
        std::pair{418, "HTTP status 418"}, std::pair{302, "HTTP status 302"}}) {
    const Seen expected{.code = {status, http_category()},
                        .category = category_of(status),
                        .status = status,
                        .message = message};
    check_seen(Failure::from_status(status), expected);
    check_seen(Failure{std::error_code{status, http_category()}}, expected);
    CHECK(Failure::from_status(status).exception() == nullptr);
  }
  CHECK(Failure::from_status(503, 0s).retry_after() == 0s);
  CHECK(Failure::from_status(503, 120s).retry_after() == 120s);
  CHECK(Failure::from_status(429, std::nullopt).retry_after() == std::nullopt);
}

TEST_CASE("F9 a std::error_code gives itself and what it stands for", "[F9]") {
  check_seen(Failure{std::error_code{}}, {.message = "failed without an error code"});
  check_seen(Failure{NetworkErrc::timed_out}, {.code = make_error_code(NetworkErrc::timed_out),
                                               .category = ErrorCategory::network,
                                               .message = "connection timed out"});
  check_seen(Failure{ErrorCode::forbidden}, {.code = make_error_code(ErrorCode::forbidden),
                                             .category = ErrorCategory::authorization,
                                             .status = 403,
                                             .message = "HTTP status 403 (forbidden)"});
  const std::error_code missing = std::make_error_code(std::errc::no_such_file_or_directory);
  check_seen(Failure{missing}, {.code = missing, .message = missing.message()});
}

TEST_CASE("F9 E9 a PolicyErrc gives its status", "[F9][E9]") {
  for (const PolicyErrc errc : {PolicyErrc::circuit_open, PolicyErrc::bulkhead_full, PolicyErrc::rate_limited,
                                PolicyErrc::throttled, PolicyErrc::timed_out, PolicyErrc::cancelled}) {
    const auto status = static_cast<int>(error_code_of(errc));
    check_seen(Failure{errc}, {.code = make_error_code(errc),
                               .category = category_of(status),
                               .status = status,
                               .message = std::string{to_string(errc)}});
  }
}

TEST_CASE("F9 a PolicyErrc is rethrown as the library's error", "[F9]") {
  check_rethrown<CircuitOpenError>(Failure{PolicyErrc::circuit_open}, [](const CircuitOpenError& error) {
    CHECK(error.code() == ErrorCode::service_unavailable);
    CHECK(error.reason() == PolicyErrc::circuit_open);
    CHECK(error.name().empty());
    CHECK(error.retry_after() == std::nullopt);
  });
  check_rethrown<BulkheadFullError>(Failure{PolicyErrc::bulkhead_full});
  check_rethrown<RateLimitedError>(Failure{PolicyErrc::rate_limited}, [](const RateLimitedError& error) {
    CHECK(error.code() == ErrorCode::rate_limit_exceeded);
    CHECK(error.reason() == PolicyErrc::rate_limited);
  });
  check_rethrown<ThrottledError>(Failure{PolicyErrc::throttled});
  check_rethrown<TimeoutError>(Failure{PolicyErrc::timed_out}, [](const TimeoutError& error) {
    CHECK(error.code() == ErrorCode::gateway_timeout);
    CHECK(error.reason() == PolicyErrc::timed_out);
  });
  check_rethrown<CancelledError>(Failure{PolicyErrc::cancelled});
}

TEST_CASE("F9 E5 a value is rethrown as an ApiError that says the same", "[F9][E5]") {
  const test::FakeClock clock;
  const test::ScopedSystemClock guard{clock};
  clock.advance(90s);

  SECTION("a status") {
    check_rethrown<ApiError>(Failure::from_status(503, 7s), [](const ApiError& error) {
      CHECK(error.code() == ErrorCode::service_unavailable);
      CHECK(error.category() == ErrorCategory::external_service);
      CHECK(error.reason() == ErrorCode::service_unavailable);
      CHECK(error.retry_after() == 7s);
      CHECK(error.message() == "HTTP status 503 (service_unavailable)");
      CHECK(error.timestamp() == noon + 90s);
      CHECK(error.is_upstream());
    });
  }
  SECTION("a code of our own") {
    check_rethrown<ApiError>(Failure{ErrorCode::not_found}, [](const ApiError& error) {
      CHECK(error.code() == ErrorCode::not_found);
      CHECK(error.category() == ErrorCategory::not_found);
      CHECK(error.message() == "HTTP status 404 (not_found)");
      CHECK_FALSE(error.is_upstream());
    });
  }
  SECTION("a network error") {
    check_rethrown<ApiError>(Failure{NetworkErrc::connection_reset}, [](const ApiError& error) {
      CHECK(error.code() == ErrorCode::internal_server_error);
      CHECK(error.category() == ErrorCategory::network);
      CHECK(error.reason() == NetworkErrc::connection_reset);
      CHECK(error.message() == "connection reset");
    });
  }
  SECTION("a POSIX error") {
    const std::error_code broken = std::make_error_code(std::errc::no_space_on_device);
    check_rethrown<ApiError>(Failure{broken}, [&](const ApiError& error) {
      CHECK(error.code() == ErrorCode::internal_server_error);
      CHECK(error.category() == ErrorCategory::internal);
      CHECK(error.reason() == broken);
      CHECK(error.message() == broken.message());
    });
  }
  SECTION("an ApiError, with all that it had") {
    const ApiError given = ApiError{ErrorCode::conflict, "taken"}
                               .with_details({{"name", "in use"}})
                               .with_request_id("r-1")
                               .with_path("/users")
                               .with_retry_after(3s)
                               .with_timestamp(noon - 1h);
    check_rethrown<ApiError>(Failure{given}, [&](const ApiError& error) {
      CHECK(error.code() == ErrorCode::conflict);
      CHECK(error.message() == "taken");
      CHECK(error.details() == given.details());
      CHECK(error.request_id() == "r-1");
      CHECK(error.path() == "/users");
      CHECK(error.retry_after() == 3s);
      CHECK(error.timestamp() == noon - 1h);
    });
  }
}

TEST_CASE("F9 a value gives the same after it was rethrown", "[F9]") {
  const std::vector<Failure> failures{Failure::from_status(404),
                                      Failure::from_status(503, 9s),
                                      Failure{PolicyErrc::circuit_open},
                                      Failure{PolicyErrc::cancelled},
                                      Failure{PolicyErrc::timed_out},
                                      Failure{NetworkErrc::host_not_found},
                                      Failure{std::make_error_code(std::errc::connection_refused)},
                                      Failure{RateLimitedError{"mail", 4s}}};
  for (const Failure& failure : failures) {
    CAPTURE(failure.message());
    try {
      failure.rethrow();
    } catch (...) {
      const Failure again = Failure::from_current_exception();
      CHECK(again.code() == failure.code());
      CHECK(again.category() == failure.category());
      CHECK(again.status() == failure.status());
      CHECK(again.retry_after() == failure.retry_after());
      CHECK(again.message() == failure.message());
      CHECK(again.is_rejection() == failure.is_rejection());
      CHECK(again.is_cancellation() == failure.is_cancellation());
      CHECK(again.is_transient() == failure.is_transient());
      CHECK(default_outcome(again) == default_outcome(failure));
    }
  }
}

TEST_CASE("F9 a breaker's rejection is the CircuitOpenError that it would throw", "[F9]") {
  const auto failure =
      detail::CircuitRejection::failure(detail::CircuitRejection::source("payments"), 12s, noon, 0);
  CHECK(failure.exception() == nullptr);
  check_seen(failure, {.code = make_error_code(PolicyErrc::circuit_open),
                       .category = ErrorCategory::external_service,
                       .status = 503,
                       .retry_after = 12s,
                       .message = "circuit breaker 'payments' is open"});
  check_rethrown<CircuitOpenError>(failure, [](const CircuitOpenError& error) {
    CHECK(error.name() == "payments");
    CHECK(error.retry_after() == 12s);
    CHECK(error.timestamp() == noon);
    CHECK(error.message() == "circuit breaker 'payments' is open");
  });
}

TEST_CASE("E8 a message shows no control characters, whoever wrote the text", "[E8]") {
  const std::string odd = "a\n\x1b";
  const std::string shown = "a\xEF\xBF\xBD\xEF\xBF\xBD";
  CHECK(thrown(std::runtime_error{odd}).message() == shown);
  CHECK(thrown(ApiError{ErrorCode::gone, odd}).message() == shown);
  CHECK(Failure{ApiError{ErrorCode::gone, odd}}.message() == shown);
  CHECK(Failure{CircuitOpenError{odd}}.message() == "circuit breaker '" + shown + "' is open");
}

TEST_CASE("F9 only message() makes a text, and nothing copies the exception", "[F9]") {
  int copies = 0;
  int texts = 0;
  try {
    throw Counting{copies, texts};
  } catch (...) {
    const int thrown_copies = copies;
    const Failure failure = Failure::from_current_exception();
    const std::vector<Failure> kept(3, failure);
    CHECK(copies == thrown_copies);
    CHECK(texts == 0);
    CHECK(kept.back().message() == "counted");
    CHECK(texts == 1);
    CHECK(failure.message() == "counted");
    CHECK(texts == 2);
    CHECK(copies == thrown_copies);
  }
}

TEST_CASE("F9 a Failure outlives the handler, and its copies share the exception", "[F9]") {
  std::optional<Failure> kept;
  {
    const Failure failure = thrown(std::runtime_error{"long gone"});
    kept = failure;
    CHECK(kept->exception() == failure.exception());
  }
  CHECK(kept->message() == "long gone");
  CHECK_THROWS_WITH(kept->rethrow(), "long gone");
  CHECK_THROWS_WITH(kept->rethrow(), "long gone");

  Failure other = Failure::from_status(404);
  other = *kept;
  CHECK(other.exception() == kept->exception());
  CHECK(other.status() == std::nullopt);
  kept = Failure::from_status(404, 5s);
  CHECK(kept->exception() == nullptr);
  CHECK(kept->message() == "HTTP status 404 (not_found)");
  CHECK(other.message() == "long gone");
}

TEST_CASE("F9 several threads may read one Failure", "[F9]") {
  const std::array<Failure, 3> failures{thrown(ApiError{ErrorCode::conflict, "taken"}),
                                        Failure{CircuitOpenError{"b", 1s}}, Failure::from_status(503, 2s)};
  std::atomic<int> wrong{0};
  for (int round = 0; round < 20; ++round) {
    support::run_together(4, [&](int) {
      for (const Failure& failure : failures) {
        const Failure copy = failure;
        if (copy.message() != failure.message() || copy.code() != failure.code()) ++wrong;
        try {
          copy.rethrow();
        } catch (const ApiError& error) {
          if (error.reason() != failure.code()) ++wrong;
        }
      }
    });
  }
  CHECK(wrong == 0);
}

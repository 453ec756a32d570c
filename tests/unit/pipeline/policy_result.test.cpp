#include <fusebox/circuit_breaker.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/expected.hpp"
#include "support/failures.hpp"
#include "support/forced_unwinding.hpp"
#include "support/thrown.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using fusebox::test::FakeClock;
using support::Breaker;
using support::Counts;
using support::counts_of;
using support::exception_of;
using support::unavailable;
using Expected = support::Expected<int, std::error_code>;

namespace {

int seven() { return 7; }

struct Once {
  template <class Op>
  auto execute(Op&& op) {
    return op();
  }
};

/// Calls op until it succeeds, or `calls` times.
struct Repeat {
  int calls;
  std::vector<std::string> errors = {};
  template <class Op>
  auto execute(Op&& op) {
    auto result = op();
    while (--calls > 0 && !result.has_value()) {
      errors.push_back(result.error().message());
      result = op();
    }
    return result;
  }
};

/// Calls op, then throws if it is told to.
struct Thrower {
  std::exception_ptr before;
  std::exception_ptr after;
  template <class Op>
  auto execute(Op&& op) {
    if (before) std::rethrow_exception(before);
    auto result = op();
    if (after) std::rethrow_exception(after);
    return result;
  }
};

/// Swallows what comes through op, and calls again.
struct Swallower {
  template <class Op>
  auto execute(Op&& op) {
    try {
      return op();
    } catch (...) {
      return op();
    }
  }
};

// The last one counts, though an earlier one succeeded, and though the earlier result is what is returned.
struct Twice {
  template <class Op>
  auto execute(Op&& op) {
    auto first = op();
    static_cast<void>(op());
    return first;
  }
};

struct Guarded {
  Breaker& breaker;
  template <class Op>
  auto execute(Op&& op) {
    return breaker.execute(op);
  }
};

struct Retried {
  FakeClock clock;
  template <class Op>
  auto execute(Op&& op) {
    return retry_with_backoff(op, RetryConfig{.max_retries = 2}, clock).value();
  }
};

struct Sees {
  bool* is_rejection;
  template <class Op>
  auto execute(Op&& op) {
    auto result = op();
    *is_rejection = !result.has_value() && result.error().is_rejection();
    return result;
  }
};

// A result that was kept from another call says nothing of this one.
struct Keeper {
  std::optional<PolicyResult>* kept;
  template <class Op>
  auto execute(Op&& op) {
    if (!*kept) *kept = op();
    return **kept;
  }
};

struct Bench {
  FakeClock clock;
  Breaker outer{"o", {}, clock};
  Breaker inner{"i", {}, clock};
};

}  // namespace

TEST_CASE("P10 a class whose execute(op) gives what op gives is a policy", "[P10]") {
  STATIC_REQUIRE(Policy<Once>);
  STATIC_REQUIRE(Policy<Breaker>);
  STATIC_REQUIRE(Policy<std::shared_ptr<Once>>);
  STATIC_REQUIRE(Policy<std::shared_ptr<Breaker>>);
  STATIC_REQUIRE(Policy<decltype(compose(Once{}))>);
  STATIC_REQUIRE_FALSE(Policy<int>);
  STATIC_REQUIRE_FALSE(Policy<std::string>);
  STATIC_REQUIRE_FALSE(Policy<int (*)()>);
  STATIC_REQUIRE_FALSE(Policy<FakeClock>);
  STATIC_REQUIRE_FALSE(Policy<AnyPipeline<int>>);
}

TEST_CASE("P10 results of every kind pass through a policy of the user's", "[P10][P13]") {
  Bench bench;
  const auto call = compose(bench.outer, Once{}, bench.inner);
  CHECK(call.execute(seven) == 7);
  CHECK(*call.execute([] { return std::make_unique<int>(3); }) == 3);
  int target = 0;
  CHECK(&call.execute([&]() -> int& { return target; }) == &target);
  call.execute([&] { ++target; });
  CHECK(target == 1);
  CHECK(call.execute([] { return Expected{4}; }).value() == 4);
  CHECK(call.execute([](const Call& c) { return c.attempt(); }) == 1);
  CHECK(counts_of(bench.outer) == Counts{6, 0, 0});
  CHECK(counts_of(bench.inner) == Counts{6, 0, 0});
}

TEST_CASE("P10 a policy may call op several times; the last call counts", "[P10]") {
  Bench bench;
  Repeat repeat{3};
  const auto call = compose(bench.outer, repeat, bench.inner);
  int calls = 0;
  const auto op = [&]() -> std::string {
    if (++calls < 3) throw unavailable("no " + std::to_string(calls));
    return "call " + std::to_string(calls);
  };
  CHECK(call.execute(op) == "call 3");
  CHECK(repeat.errors == std::vector<std::string>{"no 1", "no 2"});
  CHECK(counts_of(bench.outer) == Counts{1, 0, 0});
  CHECK(counts_of(bench.inner) == Counts{1, 2, 0});

  const auto twice = compose(bench.outer, Twice{});
  int n = 0;
  CHECK(twice.execute([&] { return std::to_string(++n); }) == "2");
  n = 0;
  CHECK_THROWS_AS(twice.execute([&] { return ++n == 2 ? throw unavailable() : 1; }), ApiError);
  CHECK(counts_of(bench.outer) == Counts{2, 1, 0});
}

TEST_CASE("P10 what a policy throws is a failure, as if op had thrown it", "[P10][P4]") {
  Bench bench;
  const auto down = std::make_exception_ptr(std::runtime_error{"down"});
  const auto call_with = [&](const std::exception_ptr& before, const std::exception_ptr& after) {
    const auto call = compose(bench.outer, Thrower{before, after}, bench.inner);
    return exception_of([&] { call.execute([] { return std::string(50, 'x'); }); });
  };
  CHECK(call_with(down, nullptr) == down);
  CHECK(counts_of(bench.outer) == Counts{0, 1, 0});
  CHECK(counts_of(bench.inner) == Counts{0, 0, 0});
  CHECK(call_with(nullptr, down) == down);
  CHECK(counts_of(bench.outer) == Counts{0, 2, 0});
  CHECK(counts_of(bench.inner) == Counts{1, 0, 0});

  const auto guarded =
      compose(fallback([](const Failure& failure) { return failure.message(); }), Thrower{down, nullptr});
  CHECK(guarded.execute([] { return std::string{}; }) == "down");
  const auto retried = compose(retry(RetryConfig{.max_retries = 2}, bench.clock),
                               Thrower{nullptr, std::make_exception_ptr(unavailable())});
  int calls = 0;
  CHECK_THROWS_AS(retried.execute([&] { return ++calls; }), ApiError);
  CHECK(calls == 3);
}

TEST_CASE("P10 a RejectedError that a policy throws is a rejection", "[P10][P5]") {
  Bench bench;
  const auto full = std::make_exception_ptr(BulkheadFullError{});
  const auto call =
      compose(bench.outer, retry(RetryConfig{.max_retries = 2}, bench.clock), Thrower{full, nullptr});
  CHECK(exception_of([&] { call.execute(seven); }) == full);
  CHECK(counts_of(bench.outer) == Counts{0, 0, 1});
  CHECK(bench.clock.sleeps().empty());
  CHECK(compose(fallback_when_rejected([] { return 1; }), Thrower{full, nullptr}).execute(seven) == 1);
}

TEST_CASE("P10 a policy may be built of the library's own", "[P10]") {
  Bench bench;
  const auto call = compose(bench.outer, Retried{bench.clock}, Guarded{bench.inner});
  int calls = 0;
  CHECK(call.execute([&] { return ++calls < 3 ? throw unavailable() : calls; }) == 3);
  CHECK(counts_of(bench.inner) == Counts{1, 2, 0});
  CHECK(counts_of(bench.outer) == Counts{1, 0, 0});

  bench.inner.force_open();
  const auto result = call.try_execute(seven);
  CHECK(result.error().code() == PolicyErrc::circuit_open);
  CHECK(result.error().message().find("'i'") != std::string::npos);
  CHECK(counts_of(bench.outer) == Counts{1, 0, 1});
  CHECK(bench.clock.sleeps().size() == 2);
}

TEST_CASE("P10 a rejection inside is one to the policy, with its Failure", "[P10]") {
  Bench bench;
  bench.inner.force_open();
  bool is_rejection = false;
  CHECK_THROWS_AS(compose(Sees{&is_rejection}, bench.inner).execute(seven), CircuitOpenError);
  CHECK(is_rejection);
}

TEST_CASE("P10 a policy that does not call op ends the call as cancelled", "[P10]") {
  Bench bench;
  std::optional<PolicyResult> kept;
  const auto call = compose(bench.outer, Keeper{&kept});
  CHECK(call.execute(seven) == 7);
  CHECK_THROWS_AS(call.execute(seven), CancelledError);
  CHECK(counts_of(bench.outer) == Counts{1, 0, 1});
}

TEST_CASE("P11 what a hook throws goes through a policy of the user's, even one that catches it",
          "[P11][P10]") {
  Bench bench;
  struct Broken {};
  const auto broken = retry(RetryConfig{}, bench.clock,
                            on_retry([](int, const Failure&, std::chrono::nanoseconds) { throw Broken{}; }));
  int calls = 0;
  const auto op = [&]() -> int {
    ++calls;
    throw unavailable();
  };
  int fallbacks = 0;
  const auto call = compose(fallback([&] { return ++fallbacks; }), bench.outer, Once{}, broken);
  CHECK_THROWS_AS(call.execute(op), Broken);
  CHECK(counts_of(bench.outer) == Counts{0, 0, 1});
  const auto swallowing = compose(fallback([&] { return ++fallbacks; }), bench.outer, Swallower{}, broken);
  CHECK_THROWS_AS(swallowing.execute(op), Broken);
  CHECK(counts_of(bench.outer) == Counts{0, 0, 2});
  CHECK(fallbacks == 0);
}

#if HAS_FORCED_UNWINDING
TEST_CASE("P10 F4 a thread that ends inside a policy of the user's leaves nothing behind", "[P10][F4]") {
  for (const auto end : support::all_ends) {
    Bench bench;
    const auto call = compose(bench.outer, Once{}, bench.inner);
    CHECK_FALSE(support::returns([&] { call.execute([&] { end(); }); }));
    CHECK(counts_of(bench.outer) == Counts{0, 0, 1});
    CHECK(counts_of(bench.inner) == Counts{0, 0, 1});
  }
}
#endif

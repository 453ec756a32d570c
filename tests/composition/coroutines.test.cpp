// Random scripts through the blocking flow and through coroutines: values, errors, statistics, events, waits
// and times agree (A5).
#include <fusebox/bulkhead.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/coro.hpp>
#include <fusebox/fallback.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/rate_limiter.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/async_fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <chrono>
#include <cstdint>
#include <random>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

#include "catch.hpp"
#include "support/retry.hpp"
#include "support/task.hpp"

using namespace std::chrono_literals;
using fusebox::Failure;
using fusebox::test::AsyncFakeClock;
using fusebox::test::FakeClock;
using support::Task;

namespace {

/// How calls are made.
enum class Way { blocking, coroutine, suspended_coroutine };

class Draw {
 public:
  explicit Draw(std::uint32_t seed) : random_{seed} {}
  int upto(int most) { return std::uniform_int_distribution<int>{0, most}(random_); }
  std::chrono::milliseconds time(int most) { return std::chrono::milliseconds{100 * upto(most)}; }

 private:
  std::mt19937 random_;
};

/// One script, in one way. Each draws the same numbers.
template <Way way>
class World {
  static constexpr bool is_blocking = way == Way::blocking;
  using Clock = std::conditional_t<is_blocking, FakeClock, AsyncFakeClock>;

 public:
  explicit World(std::uint32_t seed) : draw_{seed} {
    if (way == Way::suspended_coroutine) timeline_.set_manual();
    auto pipeline = compose(
        fusebox::fallback_when_rejected([this] { return note("fallback", -1); }), bulkhead_, limiter_,
        fusebox::total_timeout(20s, clock_),
        fusebox::retry(retry_, clock_, fusebox::with_random(random_),
                       fusebox::on_give_up([this](const auto& stats) { note("gave up", stats.attempts); })),
        breaker_, fusebox::attempt_timeout(2s, clock_));
    for (int call = 0; call < 12; ++call) {
      timeline_.advance(draw_.time(30));
      switch (draw_.upto(5)) {
        case 0: trace([&](auto& op) { return breaker_.execute(op); }); break;
        case 1:
          trace([&](auto& op) {
            return breaker_.execute(
                op, [this](const Failure& failure) { return note("for", failure.code().value()); },
                fusebox::CallOptions{.timeout = 1s});
          });
          break;
        case 2:
          trace([&](auto& op) {
            return retry_with_backoff(op, retry_, clock_, fusebox::with_random(random_),
                                      fusebox::on_retry([this](int attempt, const Failure&, auto wait) {
                                        note("retry", attempt * 1'000'000 + static_cast<int>(wait / 1ms));
                                      }));
          });
          break;
        case 3: trace([&](auto& op) { return limiter_.execute(op); }); break;
        default: trace([&](auto& op) { return pipeline.execute(op); }); break;
      }
    }
    for (const auto wait : timeline_.sleeps()) text_ << ' ' << wait.count();
  }

  [[nodiscard]] std::string text() const { return text_.str(); }

 private:
  int note(const char* what, int number) {
    text_ << what << ' ' << number << "; ";
    return number;
  }

  int answer() {
    timeline_.advance(draw_.time(draw_.upto(9) == 0 ? 25 : 3));
    const int kind = draw_.upto(11);
    note("op", kind);
    switch (kind) {
      case 0: throw fusebox::ApiError{fusebox::ErrorCode::not_found, "gone"};
      case 1: throw fusebox::ApiError{fusebox::ErrorCode::service_unavailable, "later"}.with_retry_after(1s);
      case 2: throw std::system_error{fusebox::NetworkErrc::connection_reset};
      case 3: throw fusebox::TimeoutError{};
      case 4: throw fusebox::CancelledError{};
      case 5: throw fusebox::BulkheadFullError{};
      case 6: throw kind;
      default: break;
    }
    if (kind < 9) throw fusebox::ApiError{fusebox::ErrorCode::service_unavailable, "later"};
    return kind;
  }

  template <class Call>
  void trace(Call call) {
    try {
      note("gave", value_of(call));
    } catch (...) {
      const Failure failure = Failure::from_current_exception();
      text_ << failure.message() << ' ' << failure.code() << "; ";
    }
    const auto stats = breaker_.stats();
    text_ << static_cast<int>(stats.state) << ' ' << stats.failure_count << ' ' << stats.success_count << ' '
          << stats.ignored_count << ' ' << stats.rejected_count << " at "
          << timeline_.now().time_since_epoch().count() << "; " << bulkhead_.stats().in_use << ' '
          << limiter_.stats().admitted << ' ' << limiter_.stats().rejected << '\n';
  }

  template <class Call>
  int value_of(Call& call) {
    if constexpr (is_blocking) {
      const auto op = [this] { return answer(); };
      return call(op);
    } else {
      const auto op = [this]() -> Task<int> { co_return answer(); };
      auto task = call(op);
      task.start();
      while (!task.is_done()) timeline_.advance(timeline_.sleeps().back());
      return task.result();
    }
  }

  std::ostringstream text_;
  Draw draw_;
  FakeClock timeline_;
  Clock clock_{timeline_};
  support::Script random_{{0, support::Script::middle, support::Script::largest, 1'000'000'007}};
  fusebox::RetryConfig retry_{.max_retries = draw_.upto(3),
                              .base_delay = draw_.time(5) + 1ms,
                              .max_delay = 3s,
                              .jitter = draw_.upto(1) == 0 ? fusebox::Jitter::full : fusebox::Jitter::none};
  fusebox::CircuitBreaker<Clock> breaker_{
      "b",
      {.failure_threshold = 1 + draw_.upto(4), .success_threshold = 1, .reset_timeout = draw_.time(20) + 1ms},
      clock_};
  fusebox::Bulkhead<Clock> bulkhead_{"b", {.max_concurrent = 1}, clock_};
  fusebox::RateLimiter<Clock> limiter_{
      "l", {.permits = 1 + draw_.upto(2), .per = draw_.time(9) + 100ms, .max_wait = draw_.time(9)}, clock_};
  fusebox::Subscription changes_ = breaker_.on_state_change([this](const fusebox::StateChange& change) {
    note("state", static_cast<int>(change.to));
    note("why", static_cast<int>(change.reason));
  });
};

}  // namespace

TEST_CASE("A5 4,000 random scripts agree in the blocking flow and in coroutines", "[A5]") {
  std::size_t waits = 0;
  for (std::uint32_t seed = 0; seed < 4'000; ++seed) {
    CAPTURE(seed);
    const std::string expected = World<Way::blocking>{seed}.text();
    REQUIRE(World<Way::coroutine>{seed}.text() == expected);
    REQUIRE(World<Way::suspended_coroutine>{seed}.text() == expected);
    waits += expected.find("op") != std::string::npos ? 1 : 0;
  }
  CHECK(waits > 3'900);
}

#include <fusebox/adaptive_limit.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <system_error>

#include "catch.hpp"
#include "support/adaptive_limit.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::is_overload;

TEST_CASE("W4 which failures say that there was no room", "[W4]") {
  for (const int status : {408, 429, 503, 504}) CHECK(is_overload(Failure::from_status(status)));
  for (const int status : {400, 404, 500, 502}) CHECK_FALSE(is_overload(Failure::from_status(status)));
  CHECK(is_overload(Failure{make_error_code(PolicyErrc::timed_out)}));
  CHECK(is_overload(Failure{make_error_code(NetworkErrc::connection_reset)}));
  CHECK(is_overload(Failure{std::make_error_code(std::errc::timed_out)}));
  CHECK_FALSE(is_overload(Failure{make_error_code(PolicyErrc::bulkhead_full)}));
  CHECK_FALSE(is_overload(Failure{make_error_code(PolicyErrc::rate_limited)}));
  CHECK_FALSE(is_overload(Failure{make_error_code(PolicyErrc::cancelled)}));
  CHECK_FALSE(is_overload(Failure{std::make_error_code(std::errc::invalid_argument)}));
}

TEST_CASE("W2 a window that began late lasts its whole length", "[W2]") {
  support::FakeAdaptiveLimit<Aimd> limit{"a", Aimd{.min_samples = 1}};
  support::make_calls(limit, 1, 10s);
  CHECK(limit.stats().windows == 1);
  support::make_calls(limit, 1, 999ms);
  CHECK(limit.stats().windows == 1);
  support::make_calls(limit, 1, 1ms);
  CHECK(limit.stats().windows == 2);
}

TEST_CASE("W2 a window of calls so long that it is full ends without `min_samples` calls", "[W2]") {
  support::FakeAdaptiveLimit<Aimd> limit{"a", Aimd{.initial = 200, .min_samples = 1000}};
  support::make_calls(limit, 15, 10h);
  CHECK(limit.stats().windows == 0);
  support::make_calls(limit, 1, 10h);
  CHECK(limit.stats().windows == 1);
  CHECK(limit.stats().limit == 180);
}

TEST_CASE("W2 the base of a rule of the program is asked for without a lock", "[W2]") {
  struct Asking {
    int initial = 1, min = 1, max = 1;
    std::chrono::nanoseconds window = 1s;
    int min_samples = 1;
    std::function<std::chrono::nanoseconds()> ask;
    bool operator==(const Asking&) const { return true; }

    class State {
     public:
      explicit State(const Asking& rule) : ask_{rule.ask} {}
      [[nodiscard]] static AdaptiveStep next(const Asking& /*rule*/,
                                             const AdaptiveWindow& /*seen*/) noexcept {
        return {};
      }
      [[nodiscard]] std::chrono::nanoseconds base() const noexcept { return ask_(); }

     private:
      std::function<std::chrono::nanoseconds()> ask_;
    };
  };
  std::optional<support::FakeAdaptiveLimit<Asking>> limit;
  Asking rule;
  rule.ask = [&] { return std::chrono::seconds{limit->stats().in_use + 7}; };
  limit.emplace("a", rule);
  support::make_calls(*limit, 1, 1s);
  CHECK(limit->stats().base_latency == 7s);
}

TEST_CASE("W5 a measuring window forgets what the one before left in the sums", "[W5]") {
  support::FakeAdaptiveLimit<> limit{"a", Measured{.window = 1s, .min_samples = 1}};
  Permit before = limit.try_acquire();
  support::make_calls(limit, 1, 1s);
  CHECK(limit.stats().measuring);
  before.success();
  support::make_calls(limit, 1, 1s);
  CHECK_FALSE(limit.stats().measuring);
  CHECK(limit.stats().base_latency == 1s);
  support::make_calls(limit, 1, 2s);
  CHECK(limit.stats().latency == 2s);
}

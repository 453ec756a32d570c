#include <fusebox/circuit_breaker.hpp>
#include <fusebox/circuit_breaker/detail/layer.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <cerrno>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "catch.hpp"
#include "support/breaker_states.hpp"
#include "support/error_categories.hpp"
#include "support/expected.hpp"
#include "support/failures.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;
using support::Counts;
using support::counts_of;
using support::Response;
using support::trip_and_wait;

namespace {

int seven() { return 7; }
[[noreturn]] int throw_unavailable() { throw support::unavailable(); }

/// Refuses every call, and cannot make the error.
struct NoMemoryForIt {
  [[nodiscard]] static Failure make_rejection(const void*, detail::Admission) { throw std::bad_alloc{}; }
};

}  // namespace

namespace fusebox::detail {

template <>
struct Layer<NoMemoryForIt> {
  static constexpr bool is_layer = true;
  static constexpr bool watches_late = false;
  using Clock = void;

  template <class Context>
  struct Frame {
    const Call& outer;
    Frame(NoMemoryForIt&, const Call& call, NoSide&) noexcept : outer{call} {}
    static Verdict enter(SlotBase& slot) noexcept {
      slot.refuse(PolicyErrc::bulkhead_full, &NoMemoryForIt::make_rejection, nullptr, {});
      return Verdict::rejected;
    }
    [[nodiscard]] const Call& call() const noexcept { return outer; }
    template <class Slot>
    static bool again(Verdict&, Slot&) noexcept {
      return false;
    }
  };
};

}  // namespace fusebox::detail

// How op and fallback are called.

TEST_CASE("B24 op may be any callable: const, mutable, move-only, a function, a std::function", "[B24]") {
  Breaker breaker{"b"};
  struct Constant {
    int operator()() const { return 1; }
  };
  struct NonConst {
    int calls = 0;
    int operator()() { return ++calls; }
  };
  const Constant constant;
  CHECK(breaker.execute(constant) == 1);
  NonConst counter;
  breaker.execute(counter);
  breaker.execute(counter);
  CHECK(counter.calls == 2);
  int calls = 0;
  CHECK(breaker.execute([calls]() mutable { return ++calls; }) == 1);
  CHECK(breaker.execute([box = std::make_unique<int>(4)] { return *box; }) == 4);
  CHECK(breaker.execute([box = std::make_unique<int>(4)] { return *box; },
                        [box = std::make_unique<int>(5)] { return *box; }) == 4);
  CHECK(breaker.execute(seven) == 7);
  CHECK(breaker.execute(&seven) == 7);
  int (*const pointer)() = seven;
  CHECK(breaker.execute(pointer, &seven) == 7);
  const std::function<int()> stored = [] { return 8; };
  CHECK(breaker.execute(stored, stored) == 8);
  CHECK(breaker.stats().success_count == 10);
}

TEST_CASE("B24 op and fallback are used in place, neither copied nor moved", "[B24]") {
  struct Fixed {
    explicit Fixed(int number) : value{number} {}
    Fixed(const Fixed&) = delete;
    Fixed& operator=(const Fixed&) = delete;
    int operator()() const { return value; }
    int value;
  };
  Breaker breaker{"b"};
  CHECK(breaker.execute(Fixed{1}, Fixed{2}) == 1);
  breaker.force_open();
  CHECK(breaker.execute(Fixed{1}, Fixed{2}) == 2);
}

TEST_CASE("B12 an op that can be called with and without a Deadline is called with it", "[B12]") {
  struct Both {
    bool operator()() const { return false; }
    bool operator()(Deadline) const { return true; }
  };
  Breaker breaker{"b"};
  CHECK(breaker.execute(Both{}));
  CHECK(breaker.execute([](auto... arguments) { return sizeof...(arguments); }) == 1);
  CHECK(breaker.execute([](const Deadline& deadline) { return deadline.is_never(); }));
}

TEST_CASE("B24 a breaker may be called inside the op and the fallback of others and of itself", "[B24]") {
  Breaker outer{"outer", {.failure_threshold = 2}};
  Breaker inner{"inner", {.failure_threshold = 1}};
  const auto call = [&] { return outer.execute([&] { return inner.execute(throw_unavailable); }); };
  CHECK_THROWS_AS(call(), ApiError);
  CHECK(counts_of(outer) == Counts{0, 1, 0});
  CHECK(inner.state() == State::open);
  for (int i = 0; i < 10; ++i) CHECK_THROWS_AS(call(), CircuitOpenError);
  CHECK(counts_of(outer) == Counts{0, 1, 10});
  CHECK(outer.state() == State::closed);
  CHECK(inner.execute(seven, [&] { return outer.execute(seven); }) == 7);

  Breaker self{"self"};
  CHECK(self.execute([&] { return self.execute([&] { return self.execute(seven) + 1; }) + 1; }) == 9);
  CHECK(counts_of(self) == Counts{3, 0, 0});
}

// How calls are judged and settled.

TEST_CASE("B12 cancellations and rejections are ignored before classify is asked", "[B12]") {
  Breaker breaker{"b", {.classify = [](const Failure&) { return Outcome::failure; }}};
  CHECK_THROWS_AS(breaker.execute([] { throw CancelledError{}; }), CancelledError);
  CHECK_THROWS_AS(breaker.execute([] { throw RateLimitedError{}; }), RateLimitedError);
  CHECK(counts_of(breaker) == Counts{0, 0, 2});
}

TEST_CASE("B10 what classify throws goes through, and the call is settled as ignored", "[B10]") {
  const auto throws = [](const Failure&) -> Outcome { throw std::domain_error{"classify"}; };
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1, .classify = throws}};
  const auto fallback = [] { return 0; };
  CHECK_THROWS_AS(breaker.execute(throw_unavailable), std::domain_error);
  CHECK_THROWS_AS(breaker.execute(throw_unavailable, fallback), std::domain_error);
  CHECK_THROWS_AS(breaker.execute([] { return Response{500}; }), std::domain_error);
  CHECK(counts_of(breaker) == Counts{0, 0, 3});
  CHECK(breaker.state() == State::closed);

  trip_and_wait(breaker);
  CHECK_THROWS_AS(breaker.execute(throw_unavailable), std::domain_error);
  CHECK(breaker.state() == State::half_open);
  CHECK(breaker.execute(seven) == 7);
  CHECK(breaker.state() == State::closed);
}

TEST_CASE("B10 what failure_if throws goes through, and the call is settled as ignored", "[B10]") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1}};
  const auto throws = failure_if([](const int&) -> bool { throw std::domain_error{"failure_if"}; });
  CHECK_THROWS_AS(breaker.execute(seven, throws), std::domain_error);
  CHECK_THROWS_AS(breaker.execute(seven, [] { return 0; }, throws), std::domain_error);
  CHECK(counts_of(breaker) == Counts{0, 0, 2});
  trip_and_wait(breaker);
  CHECK_THROWS_AS(breaker.execute(seven, throws), std::domain_error);
  CHECK(breaker.execute(seven) == 7);
  CHECK(breaker.state() == State::closed);
}

TEST_CASE(
    "B10 an exception from the conversion of op's value goes through, after the success is recorded once",
    "[B10]") {
  struct Converted {
    Converted() = default;
    Converted(int) { throw std::domain_error{"conversion"}; }  // NOLINT(google-explicit-constructor)
  };
  Breaker breaker{"b"};
  CHECK_THROWS_AS(breaker.execute(seven, [] { return Converted{}; }), std::domain_error);
  CHECK_THROWS_AS(breaker.execute(seven, [](const Failure&) { return Converted{}; }), std::domain_error);
  CHECK(counts_of(breaker) == Counts{2, 0, 0});
}

TEST_CASE("B12 a refused timeout throws before op is called or a slot is taken", "[B12]") {
  Breaker breaker{"b", {.failure_threshold = 1}};
  trip_and_wait(breaker);
  int calls = 0;
  const auto op = [&] { return ++calls; };
  for (const auto timeout : {0ns, -1ns}) {
    CHECK_THROWS_AS(breaker.execute(op, {.timeout = timeout}), std::invalid_argument);
    CHECK_THROWS_AS(breaker.execute(op, [] { return 0; }, {.timeout = timeout}), std::invalid_argument);
  }
  CHECK(calls == 0);
  CHECK(breaker.state() == State::open);
  CHECK(breaker.execute(op) == 1);
}

TEST_CASE("B14 a breaker that its callback released is not asked whether the call was late", "[B14]") {
  const auto config = CircuitBreakerConfig{.failure_threshold = 1, .reset_timeout = 1s};
  for (const bool as_probe : {false, true}) {
    CAPTURE(as_probe);
    const test::FakeClock clock;
    auto owner = std::make_shared<Breaker>("b", config, clock);
    Breaker& breaker = *owner;
    if (as_probe) {
      breaker.try_acquire().failure();
      clock.advance(1s);
    }
    const Subscription subscription = breaker.on_state_change([&](const StateChange&) { owner.reset(); });
    const auto op = [] { return make_error_code(std::errc::connection_refused); };
    const auto fallback = [](const Failure&) -> std::error_code { throw std::runtime_error{"no price"}; };
    CHECK_THROWS_WITH(breaker.execute(op, fallback, {.timeout = 10s}), "no price");
    CHECK(owner == nullptr);
  }
}

// Failures that are no more than a code are judged without a Failure.

namespace {

using Result = support::Expected<int, std::error_code>;

struct Status {
  std::error_code error;
  [[nodiscard]] bool ok() const { return !error; }
  [[nodiscard]] std::error_code code() const { return error; }
};

Outcome as_by_default(const Failure& failure) { return default_outcome(failure); }

/// What calls that return `value` leave: state and counts. `classify` as_by_default needs a Failure each
/// time.
template <class Value, class... More>
std::vector<std::string> story(const Value& value, Outcome (*classify)(const Failure&), const More&... more) {
  Breaker breaker{"b", {.failure_threshold = 2, .success_threshold = 1, .classify = classify}};
  std::vector<std::string> seen;
  const auto call = [&] {
    breaker.execute([&]() -> Value { return value; }, more...);
    const Counts counts = counts_of(breaker);
    seen.push_back(std::string{to_string(breaker.state())} + ' ' + std::to_string(counts.success) + ' ' +
                   std::to_string(counts.failure) + ' ' + std::to_string(counts.ignored));
  };
  call();
  call();
  trip_and_wait(breaker);
  call();  // a probe
  return seen;
}

template <class Value, class... More>
void check_story(const Value& value, const More&... more) {
  CHECK(story(value, &default_outcome, more...) == story(value, &as_by_default, more...));
}

}  // namespace

TEST_CASE("F1 F2 a value that is no more than a code is judged as the Failure of that code", "[F1][F2]") {
  static const support::MappedCategory mapped;
  for (const std::error_code code :
       {std::error_code{}, std::make_error_code(std::errc::timed_out),
        std::make_error_code(std::errc::operation_canceled), std::error_code{EPIPE, std::system_category()},
        std::error_code{ECANCELED, std::system_category()}, std::error_code{1, mapped},
        std::error_code{2, mapped}, make_error_code(ErrorCode::not_found),
        make_error_code(ErrorCode::service_unavailable), make_error_code(NetworkErrc::timed_out),
        make_error_code(PolicyErrc::bulkhead_full), make_error_code(PolicyErrc::cancelled),
        make_error_code(PolicyErrc::timed_out)}) {
    CAPTURE(code.message());
    const auto none_fails = failure_if([](const auto&) { return false; });
    const auto all_fail = failure_if([](const auto&) { return true; });
    check_story(code);
    check_story(code, none_fails);
    check_story(code, all_fail);
    check_story(Status{code});
    check_story(Status{code}, [] { return Status{}; });
    const Result result = code ? Result{support::Unexpected{code}} : Result{1};
    check_story(result);
    check_story(result, all_fail);
    check_story(result, [] { return Result{2}; });
    check_story(result, [](const Failure&) { return Result{2}; });
  }
  check_story(std::errc::timed_out);
  check_story(std::errc::operation_canceled);
  check_story(NetworkErrc::host_not_found);
  check_story(7, failure_if([](int value) { return value == 7; }));
}

TEST_CASE("F1 B10 a fallback receives the code of the failed value, and none follows a cancellation",
          "[F1][B10]") {
  Breaker breaker{"b", {.failure_threshold = 0}};
  const auto call = [&](std::error_code code) {
    return breaker.execute([&]() -> Result { return support::Unexpected{code}; },
                           [](const Failure& failure) -> Result {
                             CHECK(failure.exception() == nullptr);
                             return failure.code().value();
                           });
  };
  CHECK(*call({ENOENT, std::system_category()}) == ENOENT);
  CHECK(*call(make_error_code(ErrorCode::not_found)) == 404);
  CHECK(*call(PolicyErrc::rate_limited) == static_cast<int>(PolicyErrc::rate_limited));
  CHECK_FALSE(call(PolicyErrc::cancelled).has_value());
  CHECK_FALSE(call({ECANCELED, std::system_category()}).has_value());
  CHECK(counts_of(breaker) == Counts{1, 1, 3});
  const auto call_blind = [&](std::error_code code) {
    return breaker.execute([&]() -> Result { return support::Unexpected{code}; }, [] { return Result{9}; });
  };
  CHECK(*call_blind({1, http_category()}) == 9);
  CHECK_FALSE(call_blind(PolicyErrc::cancelled).has_value());
}

TEST_CASE("B7 B18 a probe whose rejection inside has no memory for its error gives its slot back",
          "[B7][B18]") {
  const test::FakeClock clock;
  Breaker breaker{"b", {.failure_threshold = 1, .reset_timeout = 1s, .probe_timeout = 1h}, clock};
  const Subscription listening = breaker.on_call([](const CallEvent&) {});
  NoMemoryForIt full;
  for (int i = 0; i < 2; ++i) {
    trip_and_wait(breaker);
    const auto probe = [&] {
      detail::drive(detail::PartTuple<Breaker&, NoMemoryForIt&>{breaker, full}, seven);
    };
    CHECK_THROWS_AS(probe(), std::bad_alloc);
    CHECK(breaker.execute(seven) == 7);  // the slot is free
    breaker.reset();
  }
}

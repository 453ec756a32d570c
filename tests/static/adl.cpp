// The library calls nothing of a user's namespace by accident: only failure_of and write_response are looked
// up there. Each name that the headers use is declared here for whoever takes it.
#include <fusebox/fusebox.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <cstdint>
#include <limits>

namespace trap {

#define FUSEBOX_TRAP(name) \
  template <class... Args> \
  void name(Args&&...) = delete;
FUSEBOX_TRAP(invoke)
FUSEBOX_TRAP(call_fallback)
FUSEBOX_TRAP(can_fail)
FUSEBOX_TRAP(check)
FUSEBOX_TRAP(coarse_tick)
FUSEBOX_TRAP(fine_tick)
FUSEBOX_TRAP(convert_result)
FUSEBOX_TRAP(call_as)
FUSEBOX_TRAP(invoke_attempt)
FUSEBOX_TRAP(invoke_fallback)
FUSEBOX_TRAP(invoke_op)
FUSEBOX_TRAP(may_be_failure)
FUSEBOX_TRAP(failure_of_value)
FUSEBOX_TRAP(failure_by_type)
FUSEBOX_TRAP(failure_of_error)
FUSEBOX_TRAP(make_subscriber)
FUSEBOX_TRAP(option_or)
FUSEBOX_TRAP(random_bits)
FUSEBOX_TRAP(spread)
FUSEBOX_TRAP(to_text)
FUSEBOX_TRAP(uniform)
FUSEBOX_TRAP(uniform_unit)
#undef FUSEBOX_TRAP

struct Answer {
  int status = 200;
};

struct IsBad {
  bool operator()(const Answer& answer) const { return answer.status >= 400; }
};

struct Generator {
  using result_type = std::uint64_t;
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
  result_type operator()() { return 4; }
};

struct Clock : fusebox::test::FakeClock {};

struct Op {
  Answer operator()() const { return {}; }
};
struct Fallback {
  Answer operator()(const fusebox::Failure&) const { return {}; }
};
struct Callback {
  void operator()(const fusebox::StateChange&) const {}
};

}  // namespace trap

[[maybe_unused]] static void use() {
  using namespace fusebox;
  const trap::Clock clock;
  static_cast<void>(
      retry_with_backoff(trap::Op{}, clock, with_random(trap::Generator{}), failure_if(trap::IsBad{})));
  CircuitBreakerRegistry<trap::Clock> registry{{}, clock};
  const auto breaker = registry.get("trap", {.failure_rate = FailureRate{}, .slow_calls = SlowCalls{}});
  const auto subscription = breaker->on_state_change(trap::Callback{});
  static_cast<void>(breaker->execute(trap::Op{}, trap::Fallback{}, failure_if(trap::IsBad{})));
  static_cast<void>(breaker->execute(trap::Op{}, CallOptions{}));
  static_cast<void>(breaker->stats());
  static_cast<void>(health_report(registry));
  static_cast<void>(to_prometheus(registry));
}

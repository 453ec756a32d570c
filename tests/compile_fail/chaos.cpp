// Chaos, and a recorder of calls.
#include <fusebox/bulkhead.hpp>
#include <fusebox/call_recorder.hpp>
#include <fusebox/chaos.hpp>
#include <fusebox/test/async_fake_clock.hpp>

using namespace fusebox;

/// No time.
struct NoClock {};

// Chaos needs a clock.
// expect: Chaos<C> needs a C that models fusebox::TimeSource
void no_clock() {
#ifdef FUSEBOX_COMPILE_FAIL
  const Chaos<NoClock> faults{ChaosConfig{}, NoClock{}};
#else
  const Chaos<> faults{ChaosConfig{}};
#endif
}

// A callback that takes no ChaosEvent.
// expect: on_event takes a callback\(const ChaosEvent&\)
void callback_of_another_event() {
  Chaos<> faults;
#ifdef FUSEBOX_COMPILE_FAIL
  const auto subscription = faults.on_event([](const BulkheadEvent&) {});
#else
  const auto subscription = faults.on_event([](const ChaosEvent&) {});
#endif
}

// A blocking call cannot wait by a clock that is awaited.
// expect: a delay of chaos waits on this thread: it needs a clock
void blocking_on_an_async_clock() {
#ifdef FUSEBOX_COMPILE_FAIL
  auto faults = chaos({}, test::AsyncFakeClock{});
#else
  auto faults = chaos({}, SystemClock{});
#endif
  faults.execute([] {});
}

// What has no on_call() cannot be recorded.
// expect: CallRecorder watches a policy that has on_call\(\)
void watch_no_policy() {
  CallRecorder<> recorder;
#ifdef FUSEBOX_COMPILE_FAIL
  Chaos<> policy;
#else
  Bulkhead<> policy{"b"};
#endif
  recorder.watch(policy);
}

// A registry of policies keeps the kinds that it knows, with its own clock; its callbacks take its events.
#include <fusebox/policy_registry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <string>

using namespace fusebox;

PolicyRegistry<> registry;

// A type that is no kind of policy.
// expect: a PolicyRegistry<C> keeps CircuitBreaker<C>, Bulkhead<C>
void unknown_kind() {
#ifdef FUSEBOX_COMPILE_FAIL
  (void)registry.size<std::string>();
#else
  (void)registry.size<RetryThrottle>();
#endif
}

// A policy with another clock than the registry's.
// expect: a PolicyRegistry<C> keeps CircuitBreaker<C>, Bulkhead<C>
void another_clock() {
#ifdef FUSEBOX_COMPILE_FAIL
  (void)registry.find<Bulkhead<test::FakeClock>>("reports");
#else
  (void)registry.find<Bulkhead<>>("reports");
#endif
}

// The callback of one kind takes the events of another.
// expect: on_event<P> takes a callback of the events of P
void event_of_another_kind() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto subscription = registry.on_event<Bulkhead<>>([](const RateLimiterEvent&) {});
#else
  const auto subscription = registry.on_event<RateLimiter<>>([](const RateLimiterEvent&) {});
#endif
}

// A callback that takes no event.
// expect: on_event takes a callback of a const StateChange&, BulkheadEvent&
void no_event() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto subscription = registry.on_event([](int) {});
#else
  const auto subscription = registry.on_event([](const auto&) {});
#endif
}

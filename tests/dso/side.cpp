// A library that uses fusebox. It is compiled with default and with hidden visibility, linked and dlopen'ed.
#include "side.hpp"

#include <fusebox/policy_registry.hpp>
#include <fusebox/registry.hpp>

#include <chrono>
#include <stdexcept>

namespace {

const void* registry() { return &fusebox::default_registry(); }

const void* policies() { return &fusebox::default_policy_registry(); }

const void* fill(const char* name) {
  auto& registry = fusebox::default_policy_registry();
  const auto bulkhead = registry.get<fusebox::Bulkhead<>>(name, {.max_concurrent = 1});
  const auto limiter =
      registry.get<fusebox::RateLimiter<>>(name, {.permits = 1, .per = std::chrono::hours{1}});
  static_cast<void>(registry.get<fusebox::RetryThrottle>(name)->try_withdraw());
  static_cast<void>(registry.get<fusebox::RetryCounts>(name)->stats());
  static_cast<void>(limiter->try_acquire());
  const fusebox::Permit slot = bulkhead->try_acquire();
  for (int i = 0; i < 2; ++i) {
    try {
      bulkhead->execute([] {});
    } catch (const fusebox::BulkheadFullError&) {
      continue;
    }
  }
  return bulkhead.get();
}

const void* breaker(const char* name) { return fusebox::get_circuit_breaker(name).get(); }

void force_open(const char* name) { fusebox::get_circuit_breaker(name)->force_open(); }

bool is_open(const char* name) {
  const auto state = fusebox::get_circuit_breaker(name)->state();
  return state == fusebox::State::open || state == fusebox::State::forced_open;
}

bool call(const char* name) {
  return fusebox::get_circuit_breaker(name)->execute([] { return true; }, [] { return false; });
}

void fail(const char* name, int times) {
  const auto breaker = fusebox::get_circuit_breaker(name);
  for (int i = 0; i < times; ++i) {
    try {
      breaker->execute([] { throw std::runtime_error{"down"}; });
    } catch (const std::exception&) {
      continue;
    }
  }
}

bool catches_rejection(void (*thrower)()) {
  try {
    thrower();
  } catch (const fusebox::CircuitOpenError&) {
    return true;
  } catch (...) {
    return false;
  }
  return false;
}

const void* breaker_with(const char* name, int failure_threshold) {
  return fusebox::get_circuit_breaker(name, {.failure_threshold = failure_threshold}).get();
}

bool same_category(const void* category) { return category == &fusebox::policy_error_category(); }

int listen(const char* name) {
  int changes = 0;
  const auto count = [&changes](const fusebox::StateChange&) { ++changes; };
  const auto of_all = fusebox::default_registry().on_state_change(count);
  const auto breaker = fusebox::get_circuit_breaker(name);
  const auto of_one = breaker->on_state_change(count);
  breaker->force_open();
  breaker->reset();
  return changes;
}

constexpr Side side{registry, policies,          fill,         breaker,       force_open, is_open, call,
                    fail,     catches_rejection, breaker_with, same_category, listen};

}  // namespace

extern "C" __attribute__((visibility("default"))) const Side* SIDE_ENTRY();
extern "C" const Side* SIDE_ENTRY() { return &side; }

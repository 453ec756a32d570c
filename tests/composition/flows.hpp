// composition/flows.hpp: the ways to run an operation under policies. Each makes one call of a bench and
// gives what the caller sees of it. A new way is one more function and one more line in `flows`.
#pragma once

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/retry.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>

#include "composition/bench.hpp"
#include "composition/pipelines.hpp"
#include "composition/row.hpp"
#include "support/expected.hpp"
#include "support/task.hpp"

namespace composition {

using fusebox::Failure;
using support::Task;

template <class Call>
std::string what_is_seen(Call call) {
  try {
    return call();
  } catch (...) {
    return word_of(Failure::from_current_exception());
  }
}

/// The op throws; every policy gives a plain string or throws.
inline std::string by_exceptions(Bench& bench, std::size_t level) {
  if (level == bench.depth()) {
    const Answer& answer = bench.answer();
    return answer.is_success() ? answer.value() : (answer.raise(), "");
  }
  const std::function<std::string()> inner = [&] { return by_exceptions(bench, level + 1); };
  if (bench.is_retry(level)) {
    return bench.retry(level, [&](auto&&... options) {
      return retry_with_backoff(inner, bench.policy(level).retry, options...);
    });
  }
  return bench.policy(level).has_fallback ? bench.execute_or_fall_back(level, inner)
                                          : bench.execute(level, inner);
}

/// The op returns an expected-like value, and so does every policy: nothing is thrown.
using Expected = support::Expected<std::string, Failure>;
inline Expected by_values(Bench& bench, std::size_t level) {
  if (level == bench.depth()) {
    const Answer& answer = bench.answer();
    if (answer.is_success()) return answer.value();
    return support::Unexpected{answer.failure()};
  }
  const std::function<Expected()> inner = [&] { return by_values(bench, level + 1); };
  if (bench.is_retry(level)) {
    auto result = bench.retry(level, [&](auto&&... options) {
      return try_retry_with_backoff(inner, bench.policy(level).retry, options...);
    });
    if (result.stats.attempts == 0) return support::Unexpected{result.error()};
    return std::move(result).value();
  }
  return bench.policy(level).has_fallback ? bench.execute_or_fall_back(level, inner)
                                          : bench.execute(level, inner);
}

/// The op throws; a retry gives its RetryResult, which goes through the policies around it as it is. A
/// fallback unwraps it.
using Result = fusebox::RetryResult<std::string>;
inline bool gives_result(const Bench& bench, std::size_t level) {
  if (level == bench.depth() || bench.policy(level).has_fallback) return false;
  return bench.is_retry(level) || gives_result(bench, level + 1);
}

inline Result by_results(Bench& bench, std::size_t level);
inline std::string below_results(Bench& bench, std::size_t level) {
  if (level == bench.depth()) return by_exceptions(bench, level);
  const std::function<Result()> result = [&] { return by_results(bench, level + 1); };
  const std::function<std::string()> plain = [&] { return below_results(bench, level + 1); };
  if (gives_result(bench, level + 1)) return bench.execute_or_fall_back(level, result);
  return bench.policy(level).has_fallback ? bench.execute_or_fall_back(level, plain)
                                          : bench.execute(level, plain);
}

inline Result by_results(Bench& bench, std::size_t level) {
  const std::function<Result()> result = [&] { return by_results(bench, level + 1); };
  const std::function<std::string()> plain = [&] { return below_results(bench, level + 1); };
  const auto try_retry = [&](const auto& op) {
    return bench.retry(level, [&](auto&&... options) {
      return try_retry_with_backoff(op, bench.policy(level).retry, options...);
    });
  };
  if (!bench.is_retry(level)) return bench.execute(level, result);
  return gives_result(bench, level + 1) ? try_retry(result).value() : try_retry(plain);
}

inline std::string by_permit_of_throttle(Throttle& throttle, const std::function<std::string()>& inner) {
  fusebox::Permit permit = throttle.try_acquire();
  if (!permit) throw permit.rejection();
  try {
    std::string value = inner();
    permit.success();
    return value;
  } catch (...) {
    permit.report(Failure::from_current_exception());
    throw;
  }
}

/// As by_exceptions, but with a permit in place of execute().
inline std::string by_permits(Bench& bench, std::size_t level) {
  if (level == bench.depth()) return by_exceptions(bench, level);
  const std::function<std::string()> inner = [&] { return by_permits(bench, level + 1); };
  if (bench.is_retry(level)) {
    return bench.retry(level, [&](auto&&... options) {
      return retry_with_backoff(inner, bench.policy(level).retry, options...);
    });
  }
  if (bench.is_throttle(level)) return by_permit_of_throttle(bench.throttle(level), inner);
  const Policy& policy = bench.policy(level);
  Breaker& breaker = bench.breaker(level);
  const auto end = fusebox::Deadline::after(policy.timeout, bench.clock);
  const auto is_late = [&] { return !end.is_never() && bench.clock.now() > end.time(); };
  const auto throw_or_fall_back = [&](const Failure& failure) {
    return policy.has_fallback && !failure.is_cancellation() ? Bench::Fallback{level}(failure)
                                                             : (failure.rethrow(), "");
  };

  fusebox::Permit permit = breaker.try_acquire();
  if (!permit) {
    const auto retry_after = std::chrono::ceil<std::chrono::seconds>(breaker.retry_after());
    return throw_or_fall_back(Failure{fusebox::CircuitOpenError{breaker.name(), retry_after}});
  }
  try {
    std::string value = inner();
    permit.report(is_late() ? fusebox::Outcome::failure : fusebox::Outcome::success);
    return value;
  } catch (...) {
    const auto failure = Failure::from_current_exception();
    const auto outcome = fusebox::default_outcome(failure);
    permit.report(outcome != fusebox::Outcome::ignored && is_late() ? fusebox::Outcome::failure : outcome);
    return throw_or_fall_back(failure);
  }
}

/// As by_exceptions, but of coroutines. A wait suspends them all.
inline Task<std::string> by_coroutines(Bench& bench, std::size_t level) {
  if (level == bench.depth()) {
    const Answer& answer = bench.answer();
    if (!answer.is_success()) answer.raise();
    co_return answer.value();
  }
  const std::function<Task<std::string>()> inner = [&] { return by_coroutines(bench, level + 1); };
  if (bench.is_retry(level)) {
    const auto retry = [&](auto&&... options) {
      return retry_with_backoff(inner, bench.policy(level).retry, options...);
    };
    auto call = bench.await_retry<std::string>(level, retry);
    auto result = co_await std::move(call);
    co_return std::move(result).value();
  }
  auto call = bench.policy(level).has_fallback ? bench.execute_or_fall_back(level, inner)
                                               : bench.execute(level, inner);
  co_return co_await std::move(call);
}

/// A call within a probe is part of it only by execute() of an op that blocks (B7).
inline bool has_same_breaker(const Row& row) {
  return std::any_of(row.policies.begin(), row.policies.end(),
                     [](const Policy& policy) { return policy.kind == Policy::Kind::same_breaker; });
}

struct Flow {
  const char* name;
  std::string (*call)(Bench&);
  bool (*fits)(const Row&) = [](const Row&) { return true; };
};

inline const Flow flows[] = {
    {"throwing", [](Bench& bench) { return what_is_seen([&] { return by_exceptions(bench, 0); }); }},
    {"expected",
     [](Bench& bench) {
       const Expected result = by_values(bench, 0);
       return result.has_value() ? result.value() : word_of(result.error());
     }},
    {"try_retry",
     [](Bench& bench) {
       return what_is_seen([&] {
         if (!gives_result(bench, 0)) return below_results(bench, 0);
         const Result result = by_results(bench, 0);
         return result.has_value() ? result.value() : word_of(result.error());
       });
     }},
    {"by hand", [](Bench& bench) { return what_is_seen([&] { return by_permits(bench, 0); }); },
     [](const Row& row) {
       const auto is_breaker = [](const Policy& policy) { return policy.kind == Policy::Kind::breaker; };
       return std::any_of(row.policies.begin(), row.policies.end(), is_breaker) && !has_same_breaker(row);
     }},
    {"coroutines",
     [](Bench& bench) { return what_is_seen([&] { return bench.run_to_end(by_coroutines(bench, 0)); }); },
     [](const Row& row) { return !has_same_breaker(row); }},
    {"pipeline", [](Bench& bench) { return what_is_seen([&] { return by_pipeline(bench); }); },
     fits_pipeline},
    {"pipeline, try_execute",
     [](Bench& bench) { return what_is_seen([&] { return by_try_execute(bench); }); }, fits_pipeline},
    {"pipeline, by hand", [](Bench& bench) { return what_is_seen([&] { return by_steps(bench); }); },
     fits_steps},
    {"pipeline, coroutine",
     [](Bench& bench) { return what_is_seen([&] { return by_awaited_pipeline(bench); }); }, fits_steps},
};

}  // namespace composition

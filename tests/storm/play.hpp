// tests/storm/play.hpp: small scenarios, and how they are played.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "storm/simulation.hpp"

namespace storm_test {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// 100 calls a second of a service that needs 50 ms for each and has room for 20 at once; a minute, counted
/// from its tenth second on.
inline storm::Scenario calm() {
  storm::Scenario scenario;
  scenario.name = "test";
  scenario.duration = seconds{60};
  scenario.warm_up = seconds{10};
  scenario.clients.count = 1000;
  scenario.clients.instances = 4;
  scenario.clients.calls_per_minute = 6;
  scenario.clients.timeout = seconds{10};
  storm::Dependency service;
  service.capacity = 20;
  service.queue = 50;
  scenario.dependencies.push_back(service);
  return scenario;
}

inline storm::Disturbance disturbance(storm::Disturbance::Kind kind, seconds from, seconds to) {
  storm::Disturbance one;
  one.kind = kind;
  one.from = from;
  one.to = to;
  return one;
}

inline storm::PipelineSpec pipeline(std::vector<storm::PolicySpec> policies) {
  return {"test", "Test", std::move(policies)};
}

inline fusebox::RetryPart retrying(int retries, std::chrono::nanoseconds delay,
                                   fusebox::Jitter jitter = fusebox::Jitter::full) {
  fusebox::RetryPart spec;
  spec.config.max_retries = retries;
  spec.config.base_delay = delay;
  spec.config.jitter = jitter;
  return spec;
}
inline fusebox::TimeoutPart total_limit(std::chrono::nanoseconds limit) {
  return {fusebox::TimeoutKind::total, limit};
}
inline fusebox::TimeoutPart attempt_limit(std::chrono::nanoseconds limit) {
  return {fusebox::TimeoutKind::attempt, limit};
}

inline storm::PipelineResult play(const storm::Scenario& scenario,
                                  std::vector<storm::PolicySpec> policies = {}, std::uint64_t seed = 1) {
  storm::Simulation simulation{scenario, pipeline(std::move(policies)), seed};
  simulation.run_until(scenario.duration);
  return simulation.result();
}

/// A sum over the seconds.
template <class T>
T sum(const storm::PipelineResult& result, T storm::Second::* member) {
  T all{};
  for (const storm::Second& second : result.seconds) all += second.*member;
  return all;
}
/// A sum over the seconds of [from, to).
template <class T>
T sum(const storm::PipelineResult& result, T storm::Second::* member, std::size_t from, std::size_t to) {
  T all{};
  for (std::size_t i = from; i < to; ++i) all += result.seconds.at(i).*member;
  return all;
}

}  // namespace storm_test

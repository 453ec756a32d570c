// A Result made by hand: an outage of a minute in five, and pipelines whose numbers a test chooses.
#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "storm/result.hpp"

namespace made {

inline constexpr double never = std::numeric_limits<double>::infinity();

inline storm::Disturbance disturbance(storm::Disturbance::Kind kind, storm::Duration from,
                                      storm::Duration to) {
  storm::Disturbance made;
  made.kind = kind;
  made.from = from;
  made.to = to;
  return made;
}

inline storm::Scenario scenario() {
  using namespace std::chrono_literals;
  storm::Scenario made;
  made.name = "outage";
  made.title = "Full outage and recovery";
  made.description = "The service is down for a minute. Who lets it come back?";
  made.duration = 5min;
  made.warm_up = 30s;
  made.clients.count = 1000;
  made.clients.instances = 10;
  made.clients.calls_per_minute = 6;
  storm::Dependency dependency;
  dependency.name = "orders";
  dependency.disturbances.push_back(disturbance(storm::Disturbance::Kind::outage, 60s, 120s));
  made.dependencies.push_back(std::move(dependency));
  return made;
}

struct Numbers {
  double success = 0.8;
  double peak = 1;
  double amplification = 1;
  double wasted = 0.1;
  double recovery_s = 1;
  double p50_ms = 50;
  double p99_ms = 200;
};

inline storm::PipelineResult pipeline(std::string name, const Numbers& numbers = {}) {
  storm::PipelineResult made;
  made.name = std::move(name);
  made.explanation = "1. op: is called once\n";
  made.summary = {.calls = 27'000,
                  .success_ratio = numbers.success,
                  .peak_load_ratio = numbers.peak,
                  .peak_load_ratio_overall = numbers.peak + 0.5,
                  .amplification = numbers.amplification,
                  .wasted_ratio = numbers.wasted,
                  .recovery_s = numbers.recovery_s,
                  .p50_ms = numbers.p50_ms,
                  .p99_ms = numbers.p99_ms,
                  .rejected_ratio = 0.125,
                  .events = 123'456};
  for (int i = 0; i < 300; ++i) {
    const bool down = i >= 60 && i < 120;
    const bool after = i >= 120 && i < 120 + 20 * numbers.peak;
    const double load = 100 * (down    ? numbers.amplification
                               : after ? numbers.peak
                                       : 1) +
                        8 * std::sin(i * 1.7);
    storm::Second second;
    second.calls = 100;
    second.attempts = static_cast<std::uint64_t>(load);
    second.succeeded = down ? 0 : after && numbers.peak > 1.2 ? 60 : 99;
    second.failed = 100 - second.succeeded;
    second.rejected = down ? 40 : 0;
    second.served = second.succeeded;
    second.wasted = after ? 5 : 0;
    second.retries = second.attempts > 100 ? second.attempts - 100 : 0;
    second.busy = down ? 0 : 6.5;
    second.queued = after ? 40 * numbers.peak / 3 : 0;
    second.open_breakers = down ? 0.7 : 0;
    second.p50_ms = down ? 0 : numbers.p50_ms / 3 * 2.9;
    second.p99_ms = down ? 0 : numbers.p99_ms * (after ? 3.1 : 1) + i / 7.0;
    made.seconds.push_back(second);
  }
  return made;
}

/// Three that differ in everything.
inline storm::Result result() {
  storm::Result made{scenario(), 7, {}};
  made.pipelines.push_back(pipeline("no_policy", {.success = 0.7712, .peak = 1.04}));
  made.pipelines.push_back(pipeline("plain_retry", {.success = 0.85,
                                                    .peak = 3.25,
                                                    .amplification = 1.6,
                                                    .wasted = 0.45,
                                                    .recovery_s = never,
                                                    .p50_ms = 80,
                                                    .p99_ms = 4200}));
  made.pipelines.push_back(pipeline("standard_pipeline", {.success = 0.8951,
                                                          .peak = 1.1,
                                                          .amplification = 0.9,
                                                          .wasted = 0.05,
                                                          .recovery_s = 12,
                                                          .p50_ms = 52,
                                                          .p99_ms = 900}));
  return made;
}

}  // namespace made

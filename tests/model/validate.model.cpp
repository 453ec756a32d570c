// validate() against the design's list of what is refused (§3): every field at, just inside and just outside
// each of its bounds.
#include <fusebox/adaptive_limit.hpp>
#include <fusebox/call_recorder.hpp>
#include <fusebox/chaos.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/registry.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/throttle.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "breaker_generators.hpp"
#include "code.hpp"
#include "rapidcheck.hpp"

FUSEBOX_BEGIN_NAMESPACE

void showValue(const CircuitBreakerConfig& config, std::ostream& out) {  // NOLINT: RapidCheck's name
  out << "CircuitBreakerConfig" << model::to_code(config);
}
void showValue(const RetryConfig& config, std::ostream& out) {  // NOLINT
  out << "RetryConfig" << model::to_code(config);
}
void showValue(const RegistryConfig& config, std::ostream& out) {  // NOLINT
  out << "RegistryConfig{" << config.max_breakers << ", " << model::to_code(config.default_config) << "}";
}
void showValue(const ThrottleConfig& config, std::ostream& out) {  // NOLINT
  out << "ThrottleConfig{" << config.k << ", " << model::to_code(config.window) << ", "
      << config.max_rejection << ", " << config.minimum_calls << "}";
}
void showValue(const ChaosConfig& config, std::ostream& out) {  // NOLINT
  out << "ChaosConfig{" << config.fault_rate << ", " << static_cast<int>(config.fault) << ", "
      << model::to_code(config.retry_after) << ", " << config.latency_rate << ", "
      << model::to_code(config.latency) << ", " << model::to_code(config.latency_jitter) << "}";
}
void showValue(const CallRecorderConfig& config, std::ostream& out) {  // NOLINT
  out << "CallRecorderConfig{" << config.capacity << "}";
}
void showValue(const CallOptions& options, std::ostream& out) {  // NOLINT
  out << "CallOptions{" << model::to_code(options.timeout) << "}";
}
void showValue(const Measured& rule, std::ostream& out) {  // NOLINT
  out << "Measured{" << rule.initial << ", " << rule.min << ", " << rule.max << ", " << rule.tolerance << ", "
      << rule.measure_every << ", " << rule.measure_limit << ", " << rule.tolerated_drops << ", "
      << model::to_code(rule.window) << ", " << rule.min_samples << "}";
}
void showValue(const AdaptiveLimitQueue& queue, std::ostream& out) {  // NOLINT
  out << "AdaptiveLimitQueue{" << queue.max_waiting << ", " << model::to_code(queue.max_wait) << ", "
      << queue.headroom << "}";
}

FUSEBOX_END_NAMESPACE

using namespace model;
using namespace fusebox;
using namespace std::chrono_literals;

namespace {

using Nanoseconds = std::chrono::nanoseconds;
using Names = std::vector<std::string>;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

// Mostly good, so that a config is good or bad by one field as often as not.

rc::Gen<int> a_count() {
  constexpr int lowest = std::numeric_limits<int>::min();
  constexpr int highest = std::numeric_limits<int>::max();
  return rc::gen::weightedOneOf<int>(
      {{30, any_of({1, 2, 20, 65'535})}, {1, any_of({0, -1, 65'536, lowest, highest})}});
}
rc::Gen<Nanoseconds> a_duration() {
  return rc::gen::weightedOneOf<Nanoseconds>({{30, any_of<Nanoseconds>({1ns, 1s, Nanoseconds::max()})},
                                              {1, any_of<Nanoseconds>({0ns, -1ns, Nanoseconds::min()})}});
}
rc::Gen<double> a_number(std::initializer_list<double> good, std::initializer_list<double> bad) {
  return rc::gen::weightedOneOf<double>({{30, any_of(good)}, {1, any_of(bad)}});
}
rc::Gen<double> a_multiplier() {
  return a_number({1.0, 2.0, std::numeric_limits<double>::max()},
                  {std::nextafter(1.0, 0.0), 0.0, -1.0, nan, infinity, -infinity});
}
rc::Gen<double> a_threshold() {
  return a_number({1.0, 0.5, std::numeric_limits<double>::denorm_min()},
                  {0.0, -0.0, std::nextafter(1.0, 2.0), -0.5, nan, infinity});
}
rc::Gen<double> a_share() {
  return a_number(
      {0.0, -0.0, 0.5, 1.0, std::numeric_limits<double>::denorm_min()},
      {std::nextafter(1.0, 2.0), -std::numeric_limits<double>::denorm_min(), -1.0, nan, infinity, -infinity});
}
rc::Gen<Window> a_window() {
  return rc::gen::oneOf(rc::gen::map(a_count(), last_calls), rc::gen::map(a_duration(), within));
}
template <class Rule>
rc::Gen<Rule> a_rule() {
  return rc::gen::build<Rule>(rc::gen::set(&Rule::threshold, a_threshold()),
                              rc::gen::set(&Rule::minimum_calls, rc::gen::oneOf(rc::gen::just(1), a_count())),
                              rc::gen::set(&Rule::window, a_window()));
}
rc::Gen<CircuitBreakerConfig> breaker_config() {
  using Config = CircuitBreakerConfig;
  const auto slow_calls = rc::gen::map(rc::gen::pair(a_rule<SlowCalls>(), a_duration()),
                                       [](std::pair<SlowCalls, Nanoseconds> parts) {
                                         parts.first.slower_than = parts.second;
                                         return parts.first;
                                       });
  using Classify = Outcome (*)(const Failure&);
  return rc::gen::build<Config>(
      rc::gen::set(&Config::failure_threshold, a_count()),
      rc::gen::set(&Config::success_threshold, a_count()), rc::gen::set(&Config::reset_timeout, a_duration()),
      rc::gen::set(&Config::half_open_max_calls, a_count()),
      rc::gen::set(&Config::half_open_max_failures, a_count()),
      rc::gen::set(&Config::probe_timeout, a_duration()), rc::gen::set(&Config::recovery_time, a_duration()),
      rc::gen::set(&Config::reset_backoff, a_multiplier()),
      rc::gen::set(&Config::max_reset_timeout, a_duration()),
      rc::gen::set(&Config::reset_jitter,
                   a_number({0.0, 0.5, std::nextafter(1.0, 0.0), -0.0},
                            {1.0, -std::numeric_limits<double>::denorm_min(), -0.1, nan, infinity})),
      rc::gen::set(&Config::failure_rate, on_or_off(a_rule<FailureRate>())),
      rc::gen::set(&Config::slow_calls, on_or_off(slow_calls)),
      rc::gen::set(&Config::classify,
                   rc::gen::weightedElement<Classify>({{30, default_outcome}, {1, nullptr}})));
}

rc::Gen<RetryConfig> retry_config() {
  return rc::gen::build<RetryConfig>(
      rc::gen::set(&RetryConfig::max_retries, a_count()),
      rc::gen::set(&RetryConfig::base_delay, a_duration()),
      rc::gen::set(&RetryConfig::max_delay, rc::gen::oneOf(rc::gen::just(Nanoseconds::max()), a_duration())),
      rc::gen::set(&RetryConfig::multiplier, a_multiplier()),
      rc::gen::set(&RetryConfig::jitter,
                   rc::gen::weightedOneOf<Jitter>({{30, any_of({Jitter::none, Jitter::full, Jitter::equal,
                                                                Jitter::decorrelated, Jitter::proportional})},
                                                   {1, rc::gen::just(static_cast<Jitter>(5))}})),
      rc::gen::set(&RetryConfig::jitter_factor,
                   a_number({0.25, 0.0, 1.0, -0.0, std::numeric_limits<double>::denorm_min()},
                            {std::nextafter(1.0, 2.0), -std::numeric_limits<double>::denorm_min(), -1.0, nan,
                             infinity, -infinity})),
      rc::gen::set(&RetryConfig::total_timeout, a_duration()));
}

rc::Gen<ThrottleConfig> throttle_config() {
  using Config = ThrottleConfig;
  return rc::gen::build<Config>(
      rc::gen::set(&Config::k, a_multiplier()), rc::gen::set(&Config::window, a_duration()),
      rc::gen::set(&Config::max_rejection, a_share()),
      rc::gen::set(&Config::minimum_calls, rc::gen::oneOf(a_count(), a_count(), any_of({0, 65'536}))));
}

rc::Gen<ChaosConfig> chaos_config() {
  using Config = ChaosConfig;
  const auto status =
      rc::gen::weightedOneOf<int>({{30, any_of({400, 503, 599})}, {1, any_of({399, 600, 0, -1, 200})}});
  return rc::gen::build<Config>(
      rc::gen::set(&Config::fault_rate, a_share()),
      rc::gen::set(&Config::fault,
                   rc::gen::map(status, [](int value) { return static_cast<ErrorCode>(value); })),
      rc::gen::set(&Config::retry_after, a_duration()), rc::gen::set(&Config::latency_rate, a_share()),
      rc::gen::set(&Config::latency, rc::gen::oneOf(rc::gen::just(Nanoseconds::max()), a_duration())),
      rc::gen::set(&Config::latency_jitter, rc::gen::oneOf(rc::gen::just(Nanoseconds{0}), a_duration())));
}

rc::Gen<int> an_int(std::initializer_list<int> good, std::initializer_list<int> bad) {
  return rc::gen::weightedOneOf<int>({{30, any_of(good)}, {1, any_of(bad)}});
}
rc::Gen<Measured> measured_rule() {
  using Rule = Measured;
  return rc::gen::build<Rule>(
      rc::gen::set(&Rule::min, an_int({1, 20}, {0, -1, 65'536})),
      rc::gen::set(&Rule::initial, an_int({20, 21, 200}, {19, 201, 0})),
      rc::gen::set(&Rule::max, an_int({200, 65'535}, {20, 19, 65'536})),
      rc::gen::set(&Rule::tolerance, a_multiplier()), rc::gen::set(&Rule::measure_every, a_count()),
      rc::gen::set(&Rule::measure_limit, a_count()),
      rc::gen::set(&Rule::tolerated_drops,
                   a_number({0.0, 0.1, 1.0, -0.0}, {std::nextafter(1.0, 2.0), -0.1, nan, infinity})),
      rc::gen::set(&Rule::window, a_duration()),
      rc::gen::set(&Rule::min_samples, an_int({1, 10, 1000}, {0, -1, 1001})));
}
rc::Gen<AdaptiveLimitQueue> adaptive_limit_queue() {
  using Queue = AdaptiveLimitQueue;
  return rc::gen::build<Queue>(
      rc::gen::set(&Queue::max_waiting, an_int({0, 1, 65'535}, {-1, 65'536})),
      rc::gen::set(&Queue::max_wait, any_of<Nanoseconds>({0ns, 1ns, Nanoseconds::max(), -1ns})),
      rc::gen::set(&Queue::headroom, a_number({0.0, 0.1, 0.3}, {std::nextafter(0.3, 1.0), -0.1, nan})));
}

// What the design refuses, field by field.

/// Collects the names of the fields for which `good` does not hold.
class Refused {
 public:
  Refused& unless(bool good, const std::string& field) {
    if (!good) fields_.push_back(field);
    return *this;
  }
  Refused& count(int value, int least, const std::string& field) {
    return unless(value >= least && value <= 65'535, field);
  }
  Refused& duration(Nanoseconds value, const std::string& field) { return unless(value.count() > 0, field); }
  Refused& duration_or_zero(Nanoseconds value, const std::string& field) {
    return unless(value.count() >= 0, field);
  }
  Refused& share(double value, const std::string& field) { return unless(value >= 0 && value <= 1, field); }
  Refused& multiplier(double value, const std::string& field) {
    return unless(std::isfinite(value) && value >= 1, field);
  }
  template <class Rule>
  Refused& rate(const Rule& rule, const std::string& name) {
    unless(std::isfinite(rule.threshold) && rule.threshold > 0 && rule.threshold <= 1, name + ".threshold");
    count(rule.minimum_calls, 1, name + ".minimum_calls");
    if (rule.window.is_time()) return duration(rule.window.length(), name + ".window");
    count(rule.window.calls(), 1, name + ".window");
    return unless(rule.minimum_calls <= rule.window.calls(), name + ".minimum_calls");
  }
  [[nodiscard]] const Names& fields() const { return fields_; }

 private:
  Names fields_;
};

Names refused(const CircuitBreakerConfig& config) {
  Refused refused;
  refused.count(config.failure_threshold, 0, "failure_threshold")
      .count(config.success_threshold, 1, "success_threshold")
      .duration(config.reset_timeout, "reset_timeout")
      .count(config.half_open_max_calls, 1, "half_open_max_calls")
      .count(config.half_open_max_failures, 0, "half_open_max_failures")
      .duration_or_zero(config.probe_timeout, "probe_timeout")
      .multiplier(config.reset_backoff, "reset_backoff")
      .duration_or_zero(config.max_reset_timeout, "max_reset_timeout")
      .unless(config.reset_jitter >= 0 && config.reset_jitter < 1, "reset_jitter")
      .duration_or_zero(config.recovery_time, "recovery_time")
      .unless(config.classify != nullptr, "classify");
  if (config.failure_rate) refused.rate(*config.failure_rate, "failure_rate");
  if (config.slow_calls) {
    refused.duration(config.slow_calls->slower_than, "slow_calls.slower_than")
        .rate(*config.slow_calls, "slow_calls");
  }
  return refused.fields();
}

Names refused(const RetryConfig& config) {
  return Refused{}
      .count(config.max_retries, 0, "max_retries")
      .duration_or_zero(config.base_delay, "base_delay")
      .duration_or_zero(config.max_delay, "max_delay")
      .unless(config.max_delay >= config.base_delay, "max_delay")
      .multiplier(config.multiplier, "multiplier")
      .unless(config.jitter <= Jitter::proportional, "jitter")
      .unless(config.jitter_factor >= 0 && config.jitter_factor <= 1, "jitter_factor")
      .duration(config.total_timeout, "total_timeout")
      .fields();
}

Names refused(const RegistryConfig& config) {
  Names names;
  if (config.max_breakers < 1) names.emplace_back("max_breakers");
  for (const std::string& name : refused(config.default_config)) names.push_back("default_config." + name);
  return names;
}

Names refused(const ThrottleConfig& config) {
  return Refused{}
      .multiplier(config.k, "k")
      .duration(config.window, "window")
      .share(config.max_rejection, "max_rejection")
      .count(config.minimum_calls, 0, "minimum_calls")
      .fields();
}

Names refused(const ChaosConfig& config) {
  const int status = static_cast<int>(config.fault);
  return Refused{}
      .share(config.fault_rate, "fault_rate")
      .unless(status >= 400 && status <= 599, "fault")
      .duration_or_zero(config.retry_after, "retry_after")
      .share(config.latency_rate, "latency_rate")
      .duration_or_zero(config.latency, "latency")
      .duration_or_zero(config.latency_jitter, "latency_jitter")
      .unless(config.latency_jitter <= config.latency, "latency_jitter")
      .fields();
}

Names refused(const CallRecorderConfig& config) {
  return Refused{}.unless(config.capacity >= 1, "capacity").fields();
}

Names refused(const CallOptions& options) { return Refused{}.duration(options.timeout, "timeout").fields(); }

Names refused(const Measured& rule) {
  return Refused{}
      .count(rule.min, 1, "min")
      .count(rule.max, 1, "max")
      .unless(rule.max >= rule.min, "max")
      .unless(rule.initial >= rule.min && rule.initial <= rule.max, "initial")
      .multiplier(rule.tolerance, "tolerance")
      .count(rule.measure_every, 1, "measure_every")
      .count(rule.measure_limit, 1, "measure_limit")
      .unless(rule.tolerated_drops >= 0 && rule.tolerated_drops <= 1, "tolerated_drops")
      .duration(rule.window, "window")
      .unless(rule.min_samples >= 1 && rule.min_samples <= 1000, "min_samples")
      .fields();
}

Names refused(const AdaptiveLimitQueue& queue) {
  return Refused{}
      .count(queue.max_waiting, 0, "max_waiting")
      .duration_or_zero(queue.max_wait, "max_wait")
      .unless(queue.headroom >= 0 && queue.headroom <= 0.3, "headroom")
      .fields();
}

/// What `use(config)` throws for it; empty where it does not.
template <class Use>
std::string thrown_by(Use use) {
  try {
    use();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return {};
}

void use(const CircuitBreakerConfig& config) { static_cast<void>(CircuitBreaker<>{"b", config}); }
void use(const RetryConfig& config) {
  retry_with_backoff([] {}, config);
}
void use(const RegistryConfig& config) { static_cast<void>(CircuitBreakerRegistry<>{config}); }
void use(const ThrottleConfig& config) { static_cast<void>(Throttle<>{"v", config}); }
void use(const ChaosConfig& config) { static_cast<void>(chaos(config)); }
void use(const CallRecorderConfig& config) { static_cast<void>(CallRecorder<>{config}); }
void use(const CallOptions& options) {
  CircuitBreaker<> breaker{"b"};
  breaker.execute([] {}, options);
}

void use(const Measured& rule) { static_cast<void>(AdaptiveLimit<>{"a", rule}); }
void use(const AdaptiveLimitQueue& queue) { static_cast<void>(AdaptiveLimit<>{"a", Measured{}, queue}); }

/// Empty, or how validate() and what takes the config differ from the list.
template <class Config>
std::string judge(const std::string& type, const Config& config, const Names& wrong) {
  const std::string said = validate(config);
  if (said.empty() != wrong.empty()) return wrong.empty() ? "refused: " + said : "accepted: " + wrong.front();
  if (thrown_by([&] { use(config); }) != said) return "it was used as if validate did not say: " + said;
  if (wrong.empty()) return {};
  const bool names_one = std::any_of(wrong.begin(), wrong.end(), [&](const std::string& field) {
    return said.starts_with(type + "." + field + " must be ");
  });
  return names_one ? "" : "none of the fields that are wrong: " + said;
}

/// And good ones came as bad ones did, each often.
template <class Config>
void check_all(const std::string& type, const rc::Gen<Config>& configs) {
  std::size_t good = 0;
  std::size_t bad = 0;
  CHECK(holds(type, configs, [&](const Config& config) {
    const Names wrong = refused(config);
    ++(wrong.empty() ? good : bad);
    return judge(type, config, wrong);
  }));
  CHECK(good > (good + bad) / 10);
  CHECK(bad > (good + bad) / 10);
}

}  // namespace

TEST_CASE("C3 validate refuses the breaker configs that the design refuses, and no other") {
  check_all<CircuitBreakerConfig>("CircuitBreakerConfig", breaker_config());
}

TEST_CASE("C3 validate refuses the retry configs that the design refuses, and no other") {
  check_all<RetryConfig>("RetryConfig", retry_config());
}

TEST_CASE("C3 validate refuses the registry configs that the design refuses, and no other") {
  const auto max_breakers =
      rc::gen::weightedOneOf<int>({{30, any_of({1, 10'000, std::numeric_limits<int>::max()})},
                                   {1, any_of({0, -1, std::numeric_limits<int>::min()})}});
  check_all<RegistryConfig>(
      "RegistryConfig",
      rc::gen::build<RegistryConfig>(rc::gen::set(&RegistryConfig::max_breakers, max_breakers),
                                     rc::gen::set(&RegistryConfig::default_config, breaker_config())));
}

TEST_CASE("C3 validate refuses the throttle configs that the design refuses, and no other") {
  check_all<ThrottleConfig>("ThrottleConfig", throttle_config());
}

TEST_CASE("C3 validate refuses the chaos configs that the design refuses, and no other") {
  check_all<ChaosConfig>("ChaosConfig", chaos_config());
}

TEST_CASE("C3 validate refuses the recorder configs that the design refuses, and no other") {
  const auto capacity = any_of({1, 2, 65'536, 0, -1, std::numeric_limits<int>::min()});
  check_all<CallRecorderConfig>("CallRecorderConfig", rc::gen::build<CallRecorderConfig>(rc::gen::set(
                                                          &CallRecorderConfig::capacity, capacity)));
}

TEST_CASE("C3 validate refuses the call options that the design refuses, and no other") {
  using std::chrono::nanoseconds;
  check_all<CallOptions>(
      "CallOptions", rc::gen::build<CallOptions>(rc::gen::set(
                         &CallOptions::timeout,
                         any_of<nanoseconds>({1ns, 1s, nanoseconds::max(), 0ns, -1ns, nanoseconds::min()}))));
}

TEST_CASE("C3 validate refuses the adaptive limits that the design refuses, and no other") {
  check_all<Measured>("Measured", measured_rule());
  check_all<AdaptiveLimitQueue>("AdaptiveLimitQueue", adaptive_limit_queue());
}

#include <fusebox/adapters/nlohmann_json.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

template <class Config>
std::string error_of(const json& value, std::string_view path = {}, Config config = {}) {
  const Config before = config;
  try {
    from_json(value, config, path);
  } catch (const JsonError& error) {
    CHECK(ordered_json(config) == ordered_json(before));  // as it was
    CHECK(std::string{error.what()}.starts_with(error.path()));
    return error.what();
  }
  return "no error";
}
template <class Config>
std::string error_of(const char* text, std::string_view path = {}) {
  return error_of<Config>(json::parse(text), path);
}

template <class... Fields>
constexpr std::size_t count(const Fields&... /*fields*/) {
  return sizeof...(Fields);
}

// The number of fields of each config. A config that gains one does not compile here: add it to its table in
// detail/config_members.hpp, to `changed` below and to docs/json.md.
std::size_t fields_of(const RetryConfig& config) {
  const auto& [a, b, c, d, e, f, g, h, i] = config;
  return count(a, b, c, d, e, f, g, h, i);
}
std::size_t fields_of(const FailureRate& config) {
  const auto& [a, b, c] = config;
  return count(a, b, c);
}
std::size_t fields_of(const SlowCalls& config) {
  const auto& [a, b, c, d] = config;
  return count(a, b, c, d);
}
std::size_t fields_of(const CircuitBreakerConfig& config) {
  const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, classify] = config;
  (void)classify;  // a function is not in JSON
  return count(a, b, c, d, e, f, g, h, i, j, k, l, m);
}
std::size_t fields_of(const CallOptions& config) {
  const auto& [a] = config;
  return count(a);
}
std::size_t fields_of(const BulkheadConfig& config) {
  const auto& [a, b, c, d] = config;
  return count(a, b, c, d);
}
std::size_t fields_of(const RateLimiterConfig& config) {
  const auto& [a, b, c, d] = config;
  return count(a, b, c, d);
}
std::size_t fields_of(const ThrottleConfig& config) {
  const auto& [a, b, c, d, e] = config;
  return count(a, b, c, d, e);
}
std::size_t fields_of(const RetryBudgetConfig& config) {
  const auto& [a, b, c, d] = config;
  return count(a, b, c, d);
}
std::size_t fields_of(const RetryThrottleConfig& config) {
  const auto& [a, b] = config;
  return count(a, b);
}
std::size_t fields_of(const HedgeConfig& config) {
  const auto& [a, b, c, d] = config;
  return count(a, b, c, d);
}
std::size_t fields_of(const ChaosConfig& config) {
  const auto& [a, b, c, d, e, f, g, h] = config;
  return count(a, b, c, d, e, f, g, h);
}
std::size_t fields_of(const AdaptiveLimitQueue& config) {
  const auto& [a, b, c] = config;
  return count(a, b, c);
}
std::size_t fields_of(const Measured& config) {
  const auto& [a, b, c, d, e, f, g, h, i] = config;
  return count(a, b, c, d, e, f, g, h, i);
}
std::size_t fields_of(const Aimd& config) {
  const auto& [a, b, c, d, e, f, g] = config;
  return count(a, b, c, d, e, f, g);
}
std::size_t fields_of(const Gradient2& config) {
  const auto& [a, b, c, d, e, f, g, h, i] = config;
  return count(a, b, c, d, e, f, g, h, i);
}
std::size_t fields_of(const Vegas& config) {
  const auto& [a, b, c, d, e, f, g, h] = config;
  return count(a, b, c, d, e, f, g, h);
}
std::size_t fields_of(const CallDurationsConfig& config) {
  const auto& [a] = config;
  return count(a);
}
std::size_t fields_of(const CallRecorderConfig& config) {
  const auto& [a] = config;
  return count(a);
}
std::size_t fields_of(const RegistryConfig& config) {
  const auto& [a, b] = config;
  return count(a, b);
}
std::size_t fields_of(const PolicyRegistryConfig& config) {
  const auto& [a] = config;
  return count(a);
}
std::size_t fields_of(const StandardPipelineConfig& config) {
  const auto& [a, b, c, d, e] = config;
  return count(a, b, c, d, e);
}

constexpr std::uint64_t large_seed = std::numeric_limits<std::uint64_t>::max();

const RetryConfig changed_retry{.max_retries = 5,
                                .base_delay = 200ms,
                                .max_delay = 2500ms,
                                .multiplier = 1.1,
                                .jitter = Jitter::decorrelated,
                                .jitter_factor = 0.5,
                                .total_timeout = 90s,
                                .honor_retry_after = false,
                                .idempotent = false};
const BulkheadConfig changed_bulkhead{
    .max_concurrent = 3, .max_waiting = 4, .max_wait = 5us, .headroom = 0.3};
const CircuitBreakerConfig changed_breaker{
    .failure_threshold = 0,
    .success_threshold = 3,
    .reset_timeout = 4s,
    .half_open_max_calls = 5,
    .half_open_max_failures = 6,
    .probe_timeout = 7ns,
    .reset_backoff = 1.25,
    .max_reset_timeout = 8h,
    .reset_jitter = 0.1,
    .honor_retry_after = false,
    .recovery_time = 9min,
    .failure_rate = FailureRate{.threshold = 0.25, .minimum_calls = 11, .window = within(40s)},
    .slow_calls =
        SlowCalls{.slower_than = 13s, .threshold = 0.75, .minimum_calls = 14, .window = last_calls(15)}};

/// Calls use(name, config) for each kind of config, every field of which differs from its default.
template <class Use>
void for_changed_configs(Use use) {
  use("RetryConfig", changed_retry);
  use("CircuitBreakerConfig", changed_breaker);
  use("CallOptions", CallOptions{.timeout = 3s});
  use("BulkheadConfig", changed_bulkhead);
  use("RateLimiterConfig", RateLimiterConfig{.permits = 3, .per = 2s, .burst = 4, .max_wait = 5s});
  use("ThrottleConfig",
      ThrottleConfig{.k = 1.5, .window = 3s, .max_rejection = 0.5, .minimum_calls = 4, .seed = large_seed});
  use("RetryBudgetConfig",
      RetryBudgetConfig{.ratio = 0.1, .min_per_second = 2, .capacity = 30, .reserve = 4});
  use("RetryThrottleConfig", RetryThrottleConfig{.max_tokens = 9, .token_ratio = 0.3});
  use("HedgeConfig",
      HedgeConfig{.delay = no_timeout, .max_hedges = 2, .percentile = 0.95, .minimum_calls = 50});
  use("ChaosConfig", ChaosConfig{.fault_rate = 0.1,
                                 .fault = static_cast<ErrorCode>(499),
                                 .network_fault = NetworkErrc::connection_refused,
                                 .retry_after = 1s,
                                 .latency_rate = 0.2,
                                 .latency = no_timeout,
                                 .latency_jitter = 2s,
                                 .seed = 7});
  use("AdaptiveLimitQueue", AdaptiveLimitQueue{.max_waiting = 1, .max_wait = 2s, .headroom = 0.1});
  use("Measured", Measured{.initial = 21,
                           .min = 2,
                           .max = 201,
                           .tolerance = 1.5,
                           .measure_every = 61,
                           .measure_limit = 4,
                           .tolerated_drops = 0.2,
                           .window = 2s,
                           .min_samples = 11});
  use("Aimd", Aimd{.initial = 21,
                   .min = 2,
                   .max = 201,
                   .backoff = 0.8,
                   .timeout = 6s,
                   .window = 2s,
                   .min_samples = 11});
  use("Gradient2", Gradient2{.initial = 21,
                             .min = 2,
                             .max = 201,
                             .smoothing = 0.3,
                             .tolerance = 2,
                             .queue = 5,
                             .long_window = 601,
                             .window = 2s,
                             .min_samples = 11});
  use("Vegas", Vegas{.initial = 21,
                     .min = 2,
                     .max = 201,
                     .smoothing = 0.5,
                     .probe_multiplier = 31,
                     .seed = 1,
                     .window = 2s,
                     .min_samples = 11});
  use("CallDurationsConfig", CallDurationsConfig{.bounds = {1ns, 2ms, 3h}});
  use("CallRecorderConfig", CallRecorderConfig{.capacity = 1});
  use("RegistryConfig", RegistryConfig{.max_breakers = 1, .default_config = changed_breaker});
  use("PolicyRegistryConfig", PolicyRegistryConfig{.max_per_kind = 1});
  use("StandardPipelineConfig", StandardPipelineConfig{.bulkhead = changed_bulkhead,
                                                       .total_timeout = 40s,
                                                       .retry = changed_retry,
                                                       .breaker = changed_breaker,
                                                       .attempt_timeout = 5s});
}

/// Does each kind of part have a name, by which it reads back?
template <std::size_t... I>
void check_named(std::index_sequence<I...> /*kinds*/) {
  const PipelineConfig config{{PipelinePart{std::in_place_index<I>}...}};
  for (const auto& part : ordered_json(config)) CHECK(part.contains("policy"));
  CHECK((json(config).get<PipelineConfig>() == config));
}

std::string page() {
  std::string path{__FILE__};
  path.resize(path.rfind("tests/unit/"));
  std::ifstream file{path + "docs/json.md"};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// The first block of JSON after the heading.
ordered_json sample(const std::string& text, const std::string& heading) {
  const std::size_t at = text.find("\n### " + heading + "\n");
  if (at == std::string::npos) return "no such heading";
  const std::size_t begin = text.find("```json\n", at);
  const std::size_t end = text.find("```", begin + 8);
  return ordered_json::parse(text.substr(begin + 8, end - begin - 8), nullptr, false);
}

}  // namespace

TEST_CASE("H42 every config reads back as it was written, with every field", "[H42]") {
  for_changed_configs([](const char* name, const auto& config) {
    CAPTURE(name);
    using Config = std::remove_cvref_t<decltype(config)>;
    CHECK(validate(config).empty());
    const ordered_json written = config;
    CHECK(written.size() == fields_of(config));
    const auto read = written.template get<Config>();
    CHECK(ordered_json(read) == written);
    if constexpr (requires { config == read; }) CHECK((config == read));
    CHECK(json(config) == json::parse(written.dump()));  // sorted

    // No member has its default, and none is forgotten by the reader or shares its field with another one.
    const ordered_json defaults = Config{};
    for (const auto& [member, value] : written.items()) {
      CAPTURE(member);
      CHECK(value != defaults[member]);
      const auto one = ordered_json{{member, value}};
      if constexpr (!std::is_same_v<Config, StandardPipelineConfig> &&
                    !std::is_same_v<Config, RateLimiterConfig>) {
        auto changed = defaults;
        changed[member] = value;
        if (error_of<Config>(json(one)) == "no error")
          CHECK(ordered_json(one.template get<Config>()) == changed);
      }
    }
  });
  CHECK(ordered_json(changed_breaker)["failure_rate"].size() == fields_of(*changed_breaker.failure_rate));
  CHECK(ordered_json(changed_breaker)["slow_calls"].size() == fields_of(*changed_breaker.slow_calls));
}

TEST_CASE("H42 the members have the names of the fields, durations a unit, enums their names", "[H42]") {
  CHECK(ordered_json(changed_retry).dump() ==
        R"({"max_retries":5,"base_delay":"200ms","max_delay":"2500ms","multiplier":1.1,)"
        R"("jitter":"decorrelated","jitter_factor":0.5,"total_timeout":"90s","honor_retry_after":false,)"
        R"("idempotent":false})");
  CHECK(ordered_json(changed_breaker).dump() ==
        R"({"failure_threshold":0,"success_threshold":3,"reset_timeout":"4s","half_open_max_calls":5,)"
        R"("half_open_max_failures":6,"probe_timeout":"7ns","reset_backoff":1.25,"max_reset_timeout":"8h",)"
        R"("reset_jitter":0.1,"honor_retry_after":false,"recovery_time":"9min",)"
        R"("failure_rate":{"threshold":0.25,"minimum_calls":11,"window":{"within":"40s"}},)"
        R"("slow_calls":{"slower_than":"13s","threshold":0.75,"minimum_calls":14,)"
        R"("window":{"last_calls":15}}})");
  const json chaos = ChaosConfig{.network_fault = NetworkErrc::timed_out, .latency = no_timeout};
  CHECK(chaos["network_fault"] == "timed_out");
  CHECK(chaos["fault"] == 503);
  CHECK(chaos["latency"] == "no_timeout");
  CHECK(json(ThrottleConfig{.seed = large_seed})["seed"] == large_seed);
  CHECK(json(RetryConfig{.multiplier = std::numeric_limits<double>::infinity()})["multiplier"].is_null());
}

TEST_CASE("H42 the page shows every config with its defaults", "[H42]") {
  const std::string text = page();
  REQUIRE_FALSE(text.empty());
  for_changed_configs([&](const char* name, const auto& config) {
    CAPTURE(name);
    CHECK(sample(text, name).dump() == ordered_json(std::remove_cvref_t<decltype(config)>{}).dump());
  });
}

TEST_CASE("H42 a member that is not there keeps its value; null is no value", "[H42]") {
  CHECK(json::object().get<RetryConfig>() == RetryConfig{});
  RetryConfig config = retry_presets::aggressive;
  from_json(json{{"max_retries", 9}}, config);
  CHECK(config.max_retries == 9);
  CHECK(config.base_delay == retry_presets::aggressive.base_delay);

  const auto standard = json::parse(R"({"retry": {"max_retries": 2},
                                        "breaker": {"failure_rate": {"threshold": 0.2}}})")
                            .get<StandardPipelineConfig>();
  CHECK(standard.retry.max_retries == 2);
  CHECK(standard.retry.base_delay == 2s);
  CHECK(standard.breaker.failure_rate ==
        FailureRate{.threshold = 0.2, .minimum_calls = 100, .window = within(30s)});
  CHECK_FALSE(json::parse(R"({"breaker": {"failure_rate": null}})")
                  .get<StandardPipelineConfig>()
                  .breaker.failure_rate);
  CHECK_FALSE(json::parse(R"({"network_fault": null})").get<ChaosConfig>().network_fault);
  CHECK(error_of<RetryConfig>(R"({"max_retries": null})") == "max_retries: must be a whole number");
}

TEST_CASE("H43 an error names the path and the field", "[H43]") {
  CHECK(error_of<RetryConfig>(R"({"max_attempts": 3})", "pipeline.retry") ==
        "pipeline.retry.max_attempts: unknown member; known ones are max_retries, base_delay, max_delay, "
        "multiplier, jitter, jitter_factor, total_timeout, honor_retry_after, idempotent");
  CHECK(error_of<RetryConfig>("[]", "pipeline.retry") == "pipeline.retry: must be an object");
  CHECK(error_of<RetryConfig>("5") == "must be an object");
  CHECK(error_of<RetryConfig>(R"({"max_retries": -1})", "orders") ==
        "orders.max_retries: must be in [0, 65535], got -1");
  CHECK(error_of<RetryConfig>(R"({"max_retries": "3"})") == "max_retries: must be a whole number");
  CHECK(error_of<RetryConfig>(R"({"max_retries": 3.0})") == "max_retries: must be a whole number");
  CHECK(error_of<RetryConfig>(R"({"max_retries": 2147483648})") == "max_retries: is too large");
  CHECK(error_of<RetryConfig>(R"({"max_retries": -2147483649})") == "max_retries: is too small");
  CHECK(error_of<RetryConfig>(R"({"max_retries": 18446744073709551615})") == "max_retries: is too large");
  CHECK(error_of<RetryConfig>(R"({"max_retries": 1e300})") == "max_retries: must be a whole number");
  CHECK(error_of<RetryConfig>(R"({"base_delay": 5})") ==
        "base_delay: must be a duration, such as \"250ms\", \"30s\" or \"2min\"");
  CHECK(error_of<RetryConfig>(R"({"base_delay": "31s"})") ==
        "max_delay: must be at least base_delay, got 30s");
  CHECK(error_of<RetryConfig>(R"({"jitter": "some"})") ==
        "jitter: must be one of none, full, equal, decorrelated, proportional");
  CHECK(error_of<RetryConfig>(R"({"jitter": 1})") == "jitter: must be a text");
  CHECK(error_of<RetryConfig>(R"({"idempotent": 1})") == "idempotent: must be true or false");
  CHECK(error_of<RetryConfig>(R"({"multiplier": true})") == "multiplier: must be a number");
  CHECK(error_of<RetryConfig>(json{{"multiplier", std::numeric_limits<double>::quiet_NaN()}}) ==
        "multiplier: must be finite and at least 1, got nan");
  CHECK(error_of<ThrottleConfig>(R"({"seed": -1})") == "seed: is too small");
  CHECK(error_of<ThrottleConfig>(R"({"seed": 1.5})") == "seed: must be a whole number");
  CHECK(error_of<ChaosConfig>(R"({"fault": 600})") == "fault: must be in [400, 599], got 600");
  CHECK(error_of<ChaosConfig>(R"({"network_fault": "gone"})") ==
        "network_fault: must be one of connection_reset, timed_out, host_not_found, connection_refused");
  CHECK(error_of<CircuitBreakerConfig>(R"({"failure_rate": {"threshold": 2}})", "b") ==
        "b.failure_rate.threshold: must be in (0, 1], got 2");
  CHECK(error_of<CircuitBreakerConfig>(R"({"failure_rate": {"window": {}}})") ==
        "failure_rate.window: must have either \"last_calls\" or \"within\"");
  CHECK(
      error_of<CircuitBreakerConfig>(R"({"failure_rate": {"window": {"last_calls": 5, "within": "1s"}}})") ==
      "failure_rate.window: must have either \"last_calls\" or \"within\"");
  CHECK(error_of<CircuitBreakerConfig>(R"({"classify": 1})").starts_with("classify: unknown member"));
  CHECK(
      error_of<CallDurationsConfig>(R"({"bounds": ["1s", 2]})").starts_with("bounds[1]: must be a duration"));
  CHECK(error_of<CallDurationsConfig>(R"({"bounds": {}})") == "bounds: must be a list");
  CHECK(error_of<CallDurationsConfig>(R"({"bounds": []})") == "bounds: must be a list of 1 to 64, got 0");
  CHECK(error_of<RegistryConfig>(R"({"max_breakers": 0})") == "max_breakers: must be at least 1, got 0");
  CHECK(error_of<RegistryConfig>(R"({"default_config": {"reset_timeout": "0s"}})") ==
        "default_config.reset_timeout: must be above 0, got 0s");
  CHECK(
      error_of<StandardPipelineConfig>(R"({"retry": {"base_delay": "20s"}})", "standard") ==
      "standard.retry.max_retries and retry.base_delay: must be such that the delays fit into total_timeout, "
      "30s, got 80s");
  // The name of a member is a text of strangers.
  CHECK(error_of<RetryConfig>(json{{"a\nb", 1}})
            .starts_with("a\xEF\xBF\xBD"
                         "b: unknown member"));
  CHECK(error_of<RetryConfig>(json{{std::string(100'000, 'x'), 1}}).size() < 1000);
}

TEST_CASE("H43 durations are a number and a unit", "[H43]") {
  const auto timeout = [](const std::string& text) {
    return json{{"timeout", text}}.get<CallOptions>().timeout;
  };
  CHECK(timeout("250ms") == 250ms);
  CHECK(timeout("1.5s") == 1500ms);
  CHECK(timeout("0.000000001s") == 1ns);
  CHECK(timeout("2min") == 2min);
  CHECK(timeout("1h") == 1h);
  CHECK(timeout("7us") == 7us);
  CHECK(timeout("9223372036854775807ns").count() == std::numeric_limits<std::int64_t>::max());
  CHECK(timeout("9223372036.854775807s") == no_timeout);
  CHECK(timeout("no_timeout") == no_timeout);
  for (const char* bad : {"",
                          "5",
                          "s",
                          "-5s",
                          "+5s",
                          " 5s",
                          "5 s",
                          "5s ",
                          "1e3s",
                          ".5s",
                          "5.s",
                          "5.5.5s",
                          "5m",
                          "2562048h",
                          "9223372036.854775808s",
                          "99999999999999999999s",
                          "0.0000000001s",
                          "0x5s",
                          "infs",
                          "nan",
                          "none"}) {
    CAPTURE(bad);
    CHECK(error_of<CallOptions>(json{{"timeout", bad}}, "call")
              .starts_with("call.timeout: must be a duration"));
  }
  for (const auto time :
       {1ns, 999ns, 1us + 0ns, 1001us + 0ns, 250ms + 0ns, 90s + 0ns, 2min + 0ns, 36h + 0ns}) {
    const CallOptions options{.timeout = time};
    CHECK(json(options).get<CallOptions>().timeout == time);
  }
}

TEST_CASE("H43 a pipeline is a list of parts", "[H43]") {
  const PipelineConfig config{{
      TimeoutPart{TimeoutKind::total, 10s},
      BulkheadConfig{.max_concurrent = 5},
      RetryPart{changed_retry, RetryBudgetConfig{.ratio = 0.1}},
      RetryPart{{}, RetryThrottleConfig{.max_tokens = 9}},
      HedgePart{{.delay = 1s}, RetryBudgetConfig{.capacity = 5}},
      HedgePart{},
      changed_breaker,
      RateLimiterConfig{.permits = 7},
      ThrottleConfig{.k = 3},
      AdaptiveLimitPart{Measured{.initial = 7}, {.max_waiting = 3}},
      AdaptiveLimitPart{Aimd{.initial = 30}, {}},
      AdaptiveLimitPart{Gradient2{.queue = 9}, {}},
      AdaptiveLimitPart{Vegas{.seed = 3}, {}},
      ChaosConfig{.fault_rate = 0.5},
      StandardPipelineConfig{.total_timeout = 40s},
      TimeoutPart{TimeoutKind::attempt, 1s},
  }};
  const ordered_json written = config;
  CHECK((written.get<PipelineConfig>() == config));
  CHECK((json(config).get<PipelineConfig>() == config));
  const auto names = [&] {
    std::string text;
    for (const auto& part : written) text += part["policy"].get<std::string>() + " ";
    return text;
  }();
  CHECK(names ==
        "total_timeout bulkhead retry retry hedge hedge breaker rate_limiter throttle adaptive_limit "
        "adaptive_limit adaptive_limit adaptive_limit chaos standard_pipeline attempt_timeout ");
  CHECK(written[10]["rule"] == "aimd");
  check_named(std::make_index_sequence<std::variant_size_v<PipelinePart>>{});

  const auto error = [](const char* text) { return error_of<PipelineConfig>(text, "policies"); };
  CHECK(error(R"([{"policy": "attempt_timeout", "limit": "1s"}, {"policy": "retry", "max_attempts": 3}])")
            .starts_with(
                "policies[1].max_attempts: unknown member; known ones are policy, budget, throttle, "));
  CHECK(error(R"([{"policy": "retry", "budget": {"ratio": 2}}])") ==
        "policies[0].budget.ratio: must be in [0, 1], got 2");
  CHECK(error(R"([{"policy": "retry", "budget": {}, "throttle": {}}])") ==
        "policies[0].throttle: a retry has either a \"budget\" or a \"throttle\"");
  CHECK(error(R"([{"policy": "attempt_timeout"}])") == "policies[0]: needs the member \"limit\"");
  CHECK(error(R"([{"policy": "attempt_timeout", "limit": "0s"}])") ==
        "policies[0].limit: must be above 0, got 0s");
  CHECK(error("[{}]") == "policies[0]: needs the member \"policy\"");
  CHECK(error("[5]") == "policies[0]: must be an object");
  CHECK(error("{}") == "policies: must be a list");
  CHECK(
      error(R"([{"policy": "fallback"}])").starts_with("policies[0].policy: must be one of total_timeout, "));
  CHECK(error(R"([{"policy": "adaptive_limit", "rule": "aimd", "tolerance": 2}])")
            .starts_with("policies[0].tolerance: unknown member"));
  CHECK(error(R"([{"policy": "adaptive_limit", "rule": "vegas", "min": 0}])") ==
        "policies[0].min: must be in [1, 65535], got 0");
  CHECK(error(R"([{"policy": "adaptive_limit", "headroom": 1}])") ==
        "policies[0].headroom: must be in [0, 0.3], got 1");
  CHECK(error_of<PipelineConfig>(json(1001, json{{"policy", "retry"}})) == "must have at most 1000 parts");
}

TEST_CASE("H41 configs of a value that no text could have made", "[H41]") {
  CHECK(error_of<RetryConfig>(json::binary({1, 2})) == "must be an object");
  CHECK(error_of<RetryConfig>(json(json::value_t::discarded)) == "must be an object");
  json deep = 1;
  for (int i = 0; i < 1000; ++i) deep = json{{"x", std::move(deep)}};
  CHECK(error_of<RetryConfig>(deep).starts_with("x: unknown member"));
  RetryConfig config;
  CHECK_THROWS_WITH(from_json(ordered_json(deep), config, "a"), "a: is nested too deeply");
}

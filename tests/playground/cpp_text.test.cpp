#include "storm/cpp_text.hpp"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"

using namespace std::chrono_literals;

namespace {

std::string cpp_of(std::vector<storm::PolicySpec> policies) {
  return storm::to_cpp({"mine", "Mine", std::move(policies)}, "orders");
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("S41 the C++ of a pipeline has its policies in their order", "[S41]") {
  fusebox::RetryPart retry;
  retry.config.max_retries = 2;
  retry.budget = fusebox::RetryBudgetConfig{.ratio = 0.1};
  const std::string text = cpp_of({fusebox::TimeoutPart{fusebox::TimeoutKind::total, 10s}, retry,
                                   fusebox::CircuitBreakerConfig{.failure_threshold = 3, .reset_timeout = 5s},
                                   fusebox::TimeoutPart{fusebox::TimeoutKind::attempt, 1500ms}});
  CHECK(
      text ==
      "#include <fusebox/fusebox.hpp>\n"
      "\n"
      "using namespace std::chrono_literals;\n"
      "\n"
      "// One for each dependency: all calls share it.\n"
      "inline fusebox::RetryBudget<> budget{\"orders\", {.ratio = 0.1}};\n"
      "inline fusebox::CircuitBreaker<> breaker{\"orders\", {.failure_threshold = 3, .reset_timeout = 5s}};\n"
      "\n"
      "// Make it once and use it from any thread: pipeline.execute(op).\n"
      "inline const auto pipeline = fusebox::compose(\n"
      "    fusebox::total_timeout(10s),\n"
      "    fusebox::retry({.max_retries = 2}, budget),\n"
      "    breaker,\n"
      "    fusebox::attempt_timeout(1500ms));\n");
}

TEST_CASE("S41 the C++ of no policy makes no pipeline", "[S41]") {
  CHECK_FALSE(has(cpp_of({}), "compose"));
  CHECK(has(cpp_of({}), "// No policy"));
}

TEST_CASE("S41 defaults are left out, and every other field is there", "[S41]") {
  CHECK(has(cpp_of({fusebox::CircuitBreakerConfig{}}), "breaker{\"orders\"};\n"));
  CHECK(has(cpp_of({fusebox::RetryPart{}}), "fusebox::retry({})"));
  const std::string text = cpp_of({fusebox::CircuitBreakerConfig{
      .failure_threshold = 0,
      .failure_rate = fusebox::FailureRate{.threshold = 0.3, .window = fusebox::within(30s)},
      .slow_calls = fusebox::SlowCalls{.slower_than = 250ms, .window = fusebox::last_calls(50)}}});
  CHECK(has(text, ".failure_threshold = 0"));
  CHECK(has(text, ".failure_rate = fusebox::FailureRate{.threshold = 0.3, .window = fusebox::within(30s)}"));
  CHECK(
      has(text, ".slow_calls = fusebox::SlowCalls{.slower_than = 250ms, .window = fusebox::last_calls(50)}"));
}

TEST_CASE("S41 any field that JSON can set is there", "[S41]") {
  CHECK(has(cpp_of({fusebox::BulkheadConfig{.max_concurrent = 3, .headroom = 0.1}}),
            "{.max_concurrent = 3, .headroom = 0.1}"));
  CHECK(has(cpp_of({fusebox::ThrottleConfig{.seed = 7}}), "{.seed = 7U}"));
  CHECK(has(cpp_of({fusebox::RetryPart{{.jitter = fusebox::Jitter::full, .idempotent = false}, {}}}),
            "{.jitter = fusebox::Jitter::full, .idempotent = false}"));
  const std::string vegas =
      cpp_of({fusebox::AdaptiveLimitPart{fusebox::Vegas{.smoothing = 0.5, .seed = 1}, {.headroom = 0.2}}});
  CHECK(has(vegas, ".smoothing = 0.5"));
  CHECK(has(vegas, ".seed = 1U"));
  CHECK(has(vegas, "fusebox::AdaptiveLimitQueue{.headroom = 0.2}"));
}

TEST_CASE("S41 a field that has no C++ yet is an error, not left out", "[S41]") {
  CHECK_THROWS_WITH(storm::detail::cpp_fields(fusebox::CallDurationsConfig{}),
                    Catch::StartsWith("bounds is"));
  CHECK_THROWS_WITH(storm::detail::cpp_fields(fusebox::RegistryConfig{}),
                    Catch::StartsWith("default_config is"));
  CHECK_THROWS_WITH(storm::detail::cpp_fields(fusebox::ChaosConfig{}), Catch::StartsWith("network_fault is"));
}

TEST_CASE("S41 a long line has each field on a line of its own", "[S41]") {
  const std::string text = cpp_of({fusebox::CircuitBreakerConfig{.failure_threshold = 7,
                                                                 .success_threshold = 3,
                                                                 .reset_timeout = 1min,
                                                                 .half_open_max_calls = 4,
                                                                 .reset_backoff = 1.5}});
  CHECK(has(text,
            "inline fusebox::CircuitBreaker<> breaker{\"orders\", {\n"
            "    .failure_threshold = 7,\n"
            "    .success_threshold = 3,\n"
            "    .half_open_max_calls = 4,\n"
            "    .reset_backoff = 1.5}};\n"));
}

TEST_CASE("S41 two policies of a kind have two names", "[S41]") {
  const std::string text = cpp_of({fusebox::BulkheadConfig{}, fusebox::BulkheadConfig{.max_concurrent = 3}});
  CHECK(has(text, "inline fusebox::Bulkhead<> bulkhead_2{\"orders\", {.max_concurrent = 3}};"));
  CHECK(has(text, "    bulkhead,\n    bulkhead_2);"));
}

TEST_CASE("S41 the name of a service cannot leave its literal", "[S41]") {
  const std::string text =
      storm::to_cpp({"mine", "Mine", {fusebox::BulkheadConfig{}}}, "a\"};\nint main(){}\\");
  CHECK(has(text, "bulkhead{\"a_};_int main(){}_\"};"));
}

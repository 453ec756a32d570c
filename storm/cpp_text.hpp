// storm/cpp_text.hpp: to_cpp, the C++ that makes a pipeline of these policies, to copy into a program. It
// compiles, and names only the fields that differ from their defaults (S40).
#pragma once

#include <fusebox/adapters/nlohmann_json.hpp>
#include <fusebox/fusebox.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "scenario.hpp"

namespace storm {
namespace detail {

/// One after the other. (g++ 12 warns falsely of a literal + a temporary string.)
[[nodiscard]] inline std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

/// A duration as a literal of std::chrono_literals, in the largest unit that gives it exactly.
[[nodiscard]] inline std::string cpp_text(std::chrono::nanoseconds duration) {
  if (duration == fusebox::no_timeout) return "fusebox::no_timeout";
  constexpr std::pair<std::int64_t, const char*> units[] = {
      {3'600'000'000'000, "h"}, {60'000'000'000, "min"}, {1'000'000'000, "s"},
      {1'000'000, "ms"},        {1'000, "us"},           {1, "ns"}};
  const std::int64_t count = duration.count();
  if (count == 0) return "0s";
  for (const auto& [size, name] : units) {
    if (count % size == 0) return std::to_string(count / size) + name;
  }
  return {};
}

[[nodiscard]] inline std::string cpp_text(double number) { return nlohmann::json(number).dump(); }
[[nodiscard]] inline std::string cpp_text(int number) { return std::to_string(number); }
[[nodiscard]] inline std::string cpp_text(const fusebox::Window& window) {
  return window.is_time() ? joined({"fusebox::within(", cpp_text(window.length()), ")"})
                          : joined({"fusebox::last_calls(", cpp_text(window.calls()), ")"});
}

/// `failure_rate` is a FailureRate.
[[nodiscard]] inline std::string type_of(std::string_view field) {
  std::string type = "fusebox::";
  bool is_first = true;
  for (const char c : field) {
    if (c != '_') type += is_first ? static_cast<char>(c - 'a' + 'A') : c;
    is_first = c == '_';
  }
  return type;
}

/// Designated initialisers of fields, in their order: the tables of the JSON adapter know them.
class CppFields final : public fusebox::detail::MemberVisitor {
 public:
  using MembersRef = fusebox::detail::MembersRef;

  /// Of those that are not as in `default_value`, in braces.
  [[nodiscard]] static std::string differing(const MembersRef& config, const MembersRef& default_value) {
    const CppFields given{config};
    const CppFields usual{default_value};
    return differing(given, usual);
  }

  void member(const char* name, bool& value) override { add(name, value ? "true" : "false"); }
  void member(const char* name, int& value) override { add(name, cpp_text(value)); }
  void member(const char* name, std::uint64_t& value) override { add(name, std::to_string(value) + "U"); }
  void member(const char* name, double& value) override { add(name, cpp_text(value)); }
  void member(const char* name, fusebox::Window& value) override { add(name, cpp_text(value)); }
  void member(const char* name, std::chrono::nanoseconds& value) override { add(name, cpp_text(value)); }

 private:
  explicit CppFields(const MembersRef& config) { config.visit(*this, config.object); }

  [[nodiscard]] static std::string differing(const CppFields& given, const CppFields& usual) {
    std::string text;
    for (std::size_t i = 0; i < given.texts_.size(); ++i) {
      if (given.texts_[i] == usual.texts_[i]) continue;
      text.append(text.empty() ? "" : ", ").append(given.texts_[i]);
    }
    return joined({"{", text, "}"});
  }
  void add(std::string_view name, std::string_view value) {
    texts_.push_back(joined({".", name, " = ", value}));
  }
  void one_of(const char* name, int& value, const fusebox::detail::EnumNames& names) override {
    const auto index = static_cast<std::size_t>(value - names.first);
    add(name, joined({type_of(name), "::", names.names.at(index)}));
  }
  void object_or_null(const char* name, const fusebox::detail::OptionalRef& value) override {
    if (value.object == nullptr) return add(name, "std::nullopt");
    const CppFields given{value.emplace(value.optional)};
    value.reset(value.optional);  // of a copy
    const CppFields usual{value.emplace(value.optional)};
    add(name, joined({type_of(name), differing(given, usual)}));
  }

  std::vector<std::string> texts_;
};

/// The fields of a config that have not their defaults, in braces.
template <class Config>
[[nodiscard]] std::string cpp_fields(Config config) {
  Config default_value;
  return CppFields::differing(fusebox::detail::members_ref(config),
                              fusebox::detail::members_ref(default_value));
}

template <class Rule>
inline constexpr const char* rule_name = nullptr;
template <>
inline constexpr const char* rule_name<fusebox::Measured> = "fusebox::Measured";
template <>
inline constexpr const char* rule_name<fusebox::Aimd> = "fusebox::Aimd";
template <>
inline constexpr const char* rule_name<fusebox::Gradient2> = "fusebox::Gradient2";
template <>
inline constexpr const char* rule_name<fusebox::Vegas> = "fusebox::Vegas";

/// A string literal.
[[nodiscard]] inline std::string quoted(std::string_view text) {
  std::string literal = "\"";
  for (const char c : text) {
    const bool is_plain = c >= ' ' && c <= '~' && c != '"' && c != '\\';
    literal += is_plain ? c : '_';
  }
  return literal + "\"";
}

/// A line that is too long, with each field of its config on a line of its own.
[[nodiscard]] inline std::string wrapped(std::string line, std::size_t indent) {
  constexpr std::size_t most = 100;
  if (line.size() <= most) return line;
  const std::size_t open = line.find("{.");
  if (open == std::string::npos) return line;
  std::string text = line.substr(0, open + 1);
  int depth = 1;
  std::string margin(indent + 5, ' ');
  margin[0] = '\n';
  text += margin;
  for (std::size_t i = open + 1; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '{' || c == '(') ++depth;
    if (c == '}' || c == ')') --depth;
    if (depth == 0) return text + line.substr(i);
    text += c;
    if (depth != 1 || c != ',') continue;
    text += margin;
    ++i;  // the blank
  }
  return text;
}

/// The objects and the parts of compose(), policy by policy.
class CppWriter {
 public:
  explicit CppWriter(std::string_view service) : service_{quoted(service)} {}

  void operator()(const fusebox::TimeoutPart& spec) {
    const bool total = spec.kind == fusebox::TimeoutKind::total;
    part(
        joined({total ? "fusebox::total_timeout(" : "fusebox::attempt_timeout(", cpp_text(spec.limit), ")"}));
  }
  void operator()(const fusebox::RetryPart& spec) {
    std::string text = cpp_fields(spec.config);
    if (const auto* budget = std::get_if<fusebox::RetryBudgetConfig>(&spec.budget)) {
      text.append(", ").append(object("fusebox::RetryBudget<>", "budget", cpp_fields(*budget)));
    } else if (const auto* throttle = std::get_if<fusebox::RetryThrottleConfig>(&spec.budget)) {
      text.append(", ").append(object("fusebox::RetryThrottle", "retry_throttle", cpp_fields(*throttle)));
    }
    part(joined({"fusebox::retry(", text, ")"}));
  }
  void operator()(const fusebox::HedgePart& spec) {
    std::string text = cpp_fields(spec.config);
    if (spec.budget)
      text.append(", ").append(object("fusebox::RetryBudget<>", "hedge_budget", cpp_fields(*spec.budget)));
    part(joined({"fusebox::hedge(", text, ")"}));
  }
  void operator()(const fusebox::CircuitBreakerConfig& config) {
    part(object("fusebox::CircuitBreaker<>", "breaker", cpp_fields(config)));
  }
  void operator()(const fusebox::BulkheadConfig& config) {
    part(object("fusebox::Bulkhead<>", "bulkhead", cpp_fields(config)));
  }
  void operator()(const fusebox::ThrottleConfig& config) {
    part(object("fusebox::Throttle<>", "throttle", cpp_fields(config)));
  }
  void operator()(const fusebox::AdaptiveLimitPart& spec) {
    std::visit(
        [&]<class Rule>(const Rule& rule) {
          const bool is_default = std::is_same_v<Rule, fusebox::Measured>;
          const std::string name = is_default ? "" : rule_name<Rule>;
          std::string config = cpp_fields(rule);
          if (const std::string queue = cpp_fields(spec.queue); queue != "{}") {
            config = joined({rule_name<Rule>, config, ", fusebox::AdaptiveLimitQueue", queue});
          }
          part(object(joined({"fusebox::AdaptiveLimit<", name, ">"}), "adaptive_limit", config));
        },
        spec.rule);
  }
  void operator()(const fusebox::RateLimiterConfig& config) {
    part(object("fusebox::RateLimiter<>", "limiter", cpp_fields(config)));
  }

  [[nodiscard]] std::string text() const {
    std::string text = "#include <fusebox/fusebox.hpp>\n\nusing namespace std::chrono_literals;\n\n";
    if (!objects_.empty())
      text.append("// One for each dependency: all calls share it.\n").append(objects_).append("\n");
    if (parts_.empty()) return text + "// No policy: the program calls the service as it is.\n";
    return text +
           "// Make it once and use it from any thread: pipeline.execute(op).\n"
           "inline const auto pipeline = fusebox::compose(" +
           parts_ + ");\n";
  }

 private:
  void part(const std::string& text) {
    parts_.append(parts_.empty() ? "\n    " : ",\n    ").append(wrapped(text, 4));
  }
  /// Declares it, and returns its name.
  std::string object(std::string_view type, std::string_view kind, std::string_view config) {
    std::string name{kind};
    if (const int number = ++names_[name]; number > 1) name.append("_").append(std::to_string(number));
    std::string line = "inline ";
    line.append(type).append(" ").append(name).append("{").append(service_);
    if (config != "{}") line.append(", ").append(config);
    objects_ += wrapped(line + "};", 0) + "\n";
    return name;
  }

  std::string service_;
  std::string objects_;
  std::string parts_;
  std::map<std::string, int> names_;
};

}  // namespace detail

/// A header that declares `pipeline`, and the objects that it refers to, under the name of the service.
[[nodiscard]] inline std::string to_cpp(const PipelineSpec& pipeline, std::string_view service) {
  detail::CppWriter writer{service};
  for (const PolicySpec& policy : pipeline.policies) std::visit(writer, policy);
  return writer.text();
}

}  // namespace storm

// fusebox/detail/validate.hpp: what the checks of configs are made of, and the text of a problem (C2).
//
// A check is constexpr and makes no text: it returns a Problem, which names the field, the rule and the
// value. The text "Type.field must be <rule>, got <value>" is made only if there is a problem.
#pragma once
// IWYU pragma: private

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <fusebox/detail/number_text.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/fwd.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

inline constexpr int max_count = 65'535;
inline constexpr std::size_t max_name = 512;  // bytes (E8)
inline constexpr const char* count_rule = "in [0, 65535]";
inline constexpr const char* positive_count_rule = "in [1, 65535]";
inline constexpr const char* rate_rule = "in (0, 1]";
inline constexpr const char* positive_duration_rule = "above 0";

/// The first wrong field of a config; false if there is none.
struct Problem {
  enum class Kind : unsigned char { none, integer, real, duration, text };

  const char* field = nullptr;
  const char* rule = nullptr;  // completes "must be"
  Kind kind = Kind::none;
  long long number = 0;  // an integer, or nanoseconds
  double real = 0;
  const char* text = nullptr;
  std::chrono::nanoseconds limit{0};  // that the rule names last; 0: none

  [[nodiscard]] constexpr explicit operator bool() const noexcept { return kind != Kind::none; }
};

[[nodiscard]] constexpr Problem problem(const char* field, const char* rule, long long got) noexcept {
  return {field, rule, Problem::Kind::integer, got, 0, nullptr};
}
[[nodiscard]] constexpr Problem problem(const char* field, const char* rule, double got) noexcept {
  return {field, rule, Problem::Kind::real, 0, got, nullptr};
}
[[nodiscard]] constexpr Problem problem(const char* field, const char* rule,
                                        std::chrono::nanoseconds got) noexcept {
  return {field, rule, Problem::Kind::duration, got.count(), 0, nullptr};
}
[[nodiscard]] constexpr Problem problem(const char* field, const char* rule, const char* got) noexcept {
  return {field, rule, Problem::Kind::text, 0, 0, got};
}
/// A rule that ends with the name of another field, whose value is `limit`.
[[nodiscard]] constexpr Problem problem(const char* field, const char* rule, std::chrono::nanoseconds limit,
                                        std::chrono::nanoseconds got) noexcept {
  return {field, rule, Problem::Kind::duration, got.count(), 0, nullptr, limit};
}

// The ranges of C3. NaN is in none of them.

[[nodiscard]] constexpr bool is_count(int value) noexcept { return value >= 0 && value <= max_count; }
[[nodiscard]] constexpr bool is_positive_count(int value) noexcept {
  return value >= 1 && value <= max_count;
}
[[nodiscard]] constexpr bool is_rate(double value) noexcept { return value > 0 && value <= 1; }
/// Is it in [low, high], both positive or +0? Such doubles are ordered as their bits are, and negative ones,
/// NaN and infinities stand above: one comparison.
[[nodiscard]] constexpr bool is_between(double low, double high, double value) noexcept {
  // Not std::bit_cast, which libc++ before 14 does not have (L1).
  const auto bits = [](double number) { return __builtin_bit_cast(std::uint64_t, number); };
  return bits(value) - bits(low) <= bits(high) - bits(low);
}
[[nodiscard]] constexpr bool is_multiplier(double value) noexcept {
  return is_between(1, std::numeric_limits<double>::max(), value);
}
[[nodiscard]] constexpr bool is_share(double value) noexcept { return value >= 0 && value <= 1; }
[[nodiscard]] constexpr bool is_duration(std::chrono::nanoseconds value) noexcept {
  return value >= std::chrono::nanoseconds::zero();
}
[[nodiscard]] constexpr bool is_positive_duration(std::chrono::nanoseconds value) noexcept {
  return value > std::chrono::nanoseconds::zero();
}

/// In the largest unit that divides it: 1500ms, 60s, -1ns.
[[nodiscard]] inline std::string duration_text(std::chrono::nanoseconds duration) {
  struct Unit {
    long long size;
    const char* name;
  };
  constexpr Unit units[] = {{1'000'000'000, "s"}, {1'000'000, "ms"}, {1'000, "us"}, {1, "ns"}};
  for (const Unit& unit : units) {
    if (duration.count() % unit.size == 0) return std::to_string(duration.count() / unit.size) + unit.name;
  }
  return {};
}

/// Empty if there is no problem.
[[nodiscard]] FUSEBOX_DETAIL_COLD inline std::string to_text(const char* type, const Problem& problem) {
  if (!problem) return {};
  std::string got;
  switch (problem.kind) {
    case Problem::Kind::integer: got = std::to_string(problem.number); break;
    case Problem::Kind::duration: got = duration_text(std::chrono::nanoseconds{problem.number}); break;
    case Problem::Kind::text: got = problem.text; break;
    case Problem::Kind::real: detail::append_number(got, problem.real); break;
    case Problem::Kind::none: break;
  }
  std::string text = std::string{type} + "." + problem.field + " must be " + problem.rule;
  if (problem.limit.count() != 0) text.append(", ").append(duration_text(problem.limit));
  return text.append(", got ").append(got);
}

/// Throws a ConfigError with the text if there is a problem; without exceptions, aborts with it.
inline void throw_if(const char* type, const Problem& problem) {
  if (problem) [[unlikely]]
    throw_invalid(to_text(type, problem));
}

/// The name of a policy of type `type` (E8), at most `longest` bytes.
inline void check_name(const char* type, std::string_view name, std::size_t longest = max_name) {
  if (name.empty()) [[unlikely]]
    throw_invalid(std::string{type} + ".name must not be empty, got \"\"");
  if (name.size() > longest) [[unlikely]] {
    throw_invalid(std::string{type} + ".name must be at most " + std::to_string(longest) + " bytes, got " +
                  std::to_string(name.size()));
  }
}

}  // namespace detail

FUSEBOX_END_NAMESPACE

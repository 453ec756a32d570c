// support/terminal.hpp: prints one line per event, with the time since the start. Uses colour only on a
// terminal, and not if NO_COLOR is set.
#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <unistd.h>

#include <fusebox/fusebox.hpp>

namespace support {

enum class Tone { plain, scene, good, bad, warning, quiet };

inline std::string_view escape_of(Tone tone) {
  switch (tone) {
    case Tone::plain: return "";
    case Tone::scene: return "\033[1;36m";
    case Tone::good: return "\033[32m";
    case Tone::bad: return "\033[31m";
    case Tone::warning: return "\033[33m";
    case Tone::quiet: return "\033[2m";
  }
  return "";
}

inline bool has_colour() {
  const char* const no_color = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
}

inline void print_line(Tone tone, std::string_view prefix, std::string_view text) {
  static const bool colour = has_colour();
  static std::mutex mutex;
  const std::lock_guard lock{mutex};
  if (colour && tone != Tone::plain) {
    fmt::print("{}{}{}\033[0m\n", prefix, escape_of(tone), text);
  } else {
    fmt::print("{}{}\n", prefix, text);
  }
  if (std::fflush(stdout) != 0) std::_Exit(1);  // visible at once, in a pipe too; fails if the reader is gone
}

/// The time since the start: "  1.250 s  ".
inline std::string time_stamp() {
  static const auto start = std::chrono::steady_clock::now();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return fmt::format("{:7.3f} s  ", elapsed.count());
}

/// One line of the story.
template <class... Args>
void say(Tone tone, fmt::format_string<Args...> format, Args&&... args) {
  print_line(tone, time_stamp(), fmt::format(format, std::forward<Args>(args)...));
}

/// The headline of the next part.
inline void scene(std::string_view text) { print_line(Tone::scene, "\n", text); }

inline long long in_ms(std::chrono::nanoseconds duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

inline std::string asked_wait(const fusebox::Failure& failure) {
  const auto asked = failure.retry_after();
  return asked ? fmt::format(", Retry-After: {}", std::chrono::ceil<std::chrono::seconds>(*asked).count())
               : "";
}

/// For on_retry: a failed attempt, and the wait before the next.
inline void say_retry(int attempt, const fusebox::Failure& failure, std::chrono::nanoseconds delay) {
  say(Tone::warning, "    attempt {}: {}{}; next in {} ms", attempt, failure, asked_wait(failure),
      in_ms(delay));
}

/// For on_give_up: the last attempt, and the reason to stop.
inline void say_give_up(const fusebox::RetryStats& stats) {
  if (stats.errors.empty()) return;
  const fusebox::Failure& last = stats.errors.back();
  say(Tone::bad, "    attempt {}: {}{}; given up: {}", stats.attempts, last, asked_wait(last),
      stats.stop_reason);
}

/// For on_call of a breaker inside a retry: an attempt that did not succeed.
inline void say_attempt(const fusebox::CallEvent& call) {
  if (call.failure == nullptr) return;
  say(Tone::warning, "    attempt: {}{}", *call.failure, asked_wait(*call.failure));
}

/// For on_state_change.
inline void say_change(const fusebox::StateChange& change) {
  const bool closed = change.to == fusebox::State::closed;
  const bool probing = change.to == fusebox::State::half_open;
  say(closed ? Tone::good : probing ? Tone::warning : Tone::bad, "  * breaker {}", change);
}

/// Waits until the breaker admits a probe, the trial call after an opening.
inline void wait_for_probe(const fusebox::CircuitBreaker<>& breaker) {
  say(Tone::quiet, "    ... {} ms until a probe may pass", in_ms(breaker.retry_after()));
  while (breaker.retry_after() > std::chrono::nanoseconds::zero()) {
    fusebox::SystemClock{}.sleep_for(breaker.retry_after());
  }
}

/// A JSON document with one member per line.
inline std::string indented(std::string_view json) {
  std::string out;
  std::size_t depth = 0;
  bool in_string = false;
  const auto new_line = [&] { out.append("\n").append(2 * depth, ' '); };
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      out.push_back(c);
      if (c == '\\') out.push_back(json[++i]);
      in_string = c != '"';
    } else if (c == '{' && json.substr(i).starts_with("{}")) {
      out.append("{}");
      ++i;
    } else if (c == '{' || c == '[') {
      out.push_back(c);
      ++depth;
      new_line();
    } else if (c == '}' || c == ']') {
      --depth;
      new_line();
      out.push_back(c);
    } else {
      out.push_back(c);
      if (c == ',') new_line();
      if (c == ':') out.push_back(' ');
      in_string = c == '"';
    }
  }
  return out;
}

/// The health document of all policies that the process has by name.
inline void say_health() {
  scene("Health");
  print_line(Tone::plain, "", indented(fusebox::to_json(fusebox::health_report())));
}

}  // namespace support

// fusebox/pipeline/detail/explanation.hpp: Explanation, what explain() collects from the layers.
//
// The layer of each policy that may be a part of a pipeline has
//
//     template <class Explanation>
//     static void explain(const P& policy, Explanation& text);
//
// in its specialisation of Layer. It says its line by say(), and how it changes the bounds by repeat(),
// limit() and delay(). The innermost layer speaks first: calls() and time() are then those of all that is
// inside.
#pragma once
// IWYU pragma: private, include <fusebox/pipeline.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <fusebox/clock.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/detail/utf8.hpp>
#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The name of a type, at the front of what name_of_type() gives: up to the `;` or `]` of g++ and clang, or
/// the
/// `>(void)` of MSVC. Those in brackets or quotes belong to the name.
[[nodiscard]] constexpr std::string_view name_at_front(std::string_view text) noexcept {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '\'': {  // a character as an argument of a template, unless it is part of a path
        const std::size_t end = i + (text.substr(i + 1).starts_with('\\') ? 3 : 2);
        if (end < text.size() && text[end] == '\'') i = end;
        break;
      }
      case '(':
        if (depth == 0 && text.substr(0, i).ends_with('>') &&
            (text.substr(i) == "(void)" || text.substr(i) == "(void) noexcept"))
          return text.substr(0, i - 1);
        [[fallthrough]];
      case '[':
      case '{': ++depth; break;
      case ']':
      case ')':
      case '}':
        if (depth-- == 0) return text.substr(0, i);
        break;
      case ';':
        if (depth == 0) return text.substr(0, i);
        break;
      default: break;
    }
  }
  return text;
}

class Explanation {
 public:
  /// For the layer whose turn it is.
  enum class SeenBy : unsigned char { whole_call, attempt, call_of_own };

  void place(SeenBy seen) noexcept { seen_ = seen; }

  /// What the layer sees once: "logical call", or "attempt" inside a retry.
  [[nodiscard]] const char* unit() const noexcept {
    switch (seen_) {
      case SeenBy::attempt: return "attempt";
      case SeenBy::call_of_own: return "call that the policy outside makes";
      default: return "logical call";
    }
  }

  /// The layer's line. `name` may be empty, and is shown as everywhere (E8).
  void say(std::string_view kind, std::string_view name, std::string_view text) {
    std::string line{kind};
    if (!name.empty()) line.append(" '").append(shown_text(name)).append("'");
    lines_.push_back(line.append(": ").append(text));
  }

  // The bounds of one call of all that is inside, and with the layer.

  /// The most calls of op; 0 if nothing limits it.
  [[nodiscard]] std::uint64_t calls() const noexcept { return calls_; }
  /// The longest time; no_timeout if nothing limits it.
  [[nodiscard]] std::chrono::nanoseconds time() const noexcept { return time_; }

  /// All that is inside is called at most so often, with waits that are together at most so long.
  void repeat(std::uint64_t times, std::chrono::nanoseconds waits) {
    calls_ = times == 0 || calls_ > std::numeric_limits<std::uint64_t>::max() / times ? 0 : calls_ * times;
    if (times == 0) {
      time_ = no_timeout;
    } else if (time_ != no_timeout) {
      const auto count = static_cast<Tick>(times);
      time_ = time_.count() > tick_max / count ? no_timeout : time_ * count;
    }
    delay(waits);
  }
  /// A wait before or between calls of what is inside.
  void delay(std::chrono::nanoseconds wait) noexcept {
    time_ = time_ == no_timeout || wait == no_timeout
                ? no_timeout
                : std::chrono::nanoseconds{saturating_add(time_.count(), wait.count())};
  }
  void limit(std::chrono::nanoseconds time) noexcept {
    if (time < time_) time_ = time;
  }

  /// The lines, the outermost first, and the bounds of one logical call.
  [[nodiscard]] std::string text() const {
    std::string out;
    for (std::size_t i = lines_.size(); i-- > 0;) {
      out.append(std::to_string(lines_.size() - i)).append(". ").append(lines_[i]).append("\n");
    }
    out.append("One logical call calls op ");
    if (calls_ == 0) {
      out.append("any number of times");
    } else if (calls_ == 1) {
      out.append("at most once");
    } else {
      out.append("at most ").append(std::to_string(calls_)).append(" times");
    }
    if (time_ == no_timeout) return out.append(", and nothing limits its time.\n");
    return out.append(" and takes at most ")
        .append(duration_text(time_))
        .append(", if op ends when its stop token or its Deadline says so.\n");
  }

 private:
  std::vector<std::string> lines_;  // the innermost first
  std::uint64_t calls_ = 1;
  std::chrono::nanoseconds time_ = no_timeout;  // op by itself
  SeenBy seen_ = SeenBy::whole_call;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

// storm/progress.hpp: Progress, a bar on a terminal. Writes nothing to anything else.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#ifdef _WIN32
#include <io.h>
#else
#include <unistd.h>
#endif

#include "words.hpp"

namespace storm {

[[nodiscard]] inline bool is_terminal(std::FILE* file) {
#ifdef _WIN32
  return ::_isatty(::_fileno(file)) != 0;
#else
  return ::isatty(::fileno(file)) != 0;
#endif
}

/// "outage  standard_pipeline  [=====>     ]  52 %"; at most ten times a second. One thread.
class Progress {
 public:
  explicit Progress(std::FILE* file) : Progress(file, is_terminal(file)) {}
  Progress(std::FILE* file, bool terminal) : file_(file), terminal_(terminal) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }

  /// `done` of `total`, of any unit.
  void show(std::string_view what, double done, double total) {
    if (!terminal_) return;
    const auto now = std::chrono::steady_clock::now();
    if (last_ && done < total && now - *last_ < std::chrono::milliseconds{100}) return;
    last_ = now;
    const double share = total > 0 ? std::clamp(done / total, 0.0, 1.0) : 1;
    constexpr std::size_t length = 30, words_length = 40;
    const auto full = static_cast<std::size_t>(share * length);
    std::string bar(full, '=');
    if (full < length) bar += '>';
    bar.resize(length, ' ');
    std::string words = printable(what);
    if (words.size() > words_length) words.resize(words_length);
    fmt::print(file_, "\r{:<{}} [{}] {:3.0f} %", words, words_length, bar, share * 100);
    std::fflush(file_);
    shown_ = true;
  }

  /// Removes the bar, before anything else is written.
  void clear() {
    if (!shown_) return;
    fmt::print(file_, "\r\x1b[K");
    std::fflush(file_);
    shown_ = false;
  }

 private:
  std::FILE* file_;
  bool terminal_;
  bool shown_ = false;
  std::optional<std::chrono::steady_clock::time_point> last_;
};

}  // namespace storm

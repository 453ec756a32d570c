// fusebox/hedge/detail/race.hpp: HedgeRace, the rules of one hedged call: which copy starts when, and which
// one's end is the end of the call (J1 to J4).
//
// Knows no thread, and reads no clock: whoever drives it says what time it is. Three drivers share it: the
// blocking one (copies.hpp), that of coroutines (coro/detail/run.hpp), and HedgeRun, which is driven by hand.
#pragma once
// IWYU pragma: private, include <fusebox/hedge.hpp>

#include <chrono>
#include <cstdint>

#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/ticks.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Copy 0 is the primary, the others are the hedges. Not thread-safe.
class HedgeRace {
 public:
  static constexpr int nobody = -1;
  enum class What : unsigned char { start, wait, done };
  struct Next {
    What what;
    int copy;   // of start
    Tick wait;  // of wait: at most, until something happens; tick_max: until then
    [[nodiscard]] std::chrono::nanoseconds time() const noexcept { return std::chrono::nanoseconds{wait}; }
  };

  /// At most so many hedges. `delay` lies between the starts of two copies; no hedge starts from `deadline`
  /// on.
  HedgeRace(int hedges, Tick delay, Tick deadline) noexcept
      : delay_{delay}, deadline_{deadline}, max_copies_{1 + hedges} {}

  /// What to do now.
  [[nodiscard]] Next next(Tick now) const noexcept {
    if (is_over_) return {What::done, nobody, 0};
    if (started_ == 0) return {What::start, 0, 0};
    if (may_start_another()) {
      if (is_due_) return {What::start, started_, 0};
      if (now >= due_ && now < deadline_) return {What::start, started_, 0};
      if (now < due_ && due_ < deadline_) return {What::wait, nobody, due_ - now};
    }
    return {What::wait, nobody, tick_max};
  }

  /// The copy that next() named starts.
  void start(Tick now) noexcept {
    running_ |= bit(started_);
    ++started_;
    is_due_ = false;
    due_ = saturating_add(now, delay_);
  }
  /// It does not, and no other one will: the budget does not pay, or nobody can run it.
  void close() noexcept {
    is_closed_ = true;
    is_due_ = false;
    if (running_ == 0) is_over_ = true;
  }

  /// A copy has ended. The first success wins. A failure makes the next copy due; a rejection, a
  /// cancellation or a refused config starts none.
  void report(int copy, Verdict verdict, Tick now) noexcept {
    if (!is_running(copy)) return;
    running_ &= ~bit(copy);
    if (is_over_) return;
    if (detail::has_value(verdict)) return decide(copy);
    if (first_to_end_ == nobody) first_to_end_ = copy;
    if (verdict != Verdict::failure) {
      is_closed_ = true;
      is_due_ = false;
    } else {
      if (first_to_fail_ == nobody) first_to_fail_ = copy;
      is_due_ = may_start_another() && now < deadline_;
    }
    if (running_ == 0 && !is_due_) is_over_ = true;
  }
  /// A copy ends without having run, or with its thread: nothing comes of it, and no further one starts.
  void drop(int copy) noexcept {
    if (!is_running(copy)) return;
    running_ &= ~bit(copy);
    close();
  }
  /// The end of this copy is the end of the call, whatever it was: an exception of a hook (P11).
  void decide(int copy) noexcept {
    running_ &= ~bit(copy);
    if (is_over_) return;
    decided_by_ = copy;
    is_over_ = true;
  }
  /// The caller does not wait any more.
  void cancel() noexcept {
    if (is_over_) return;
    is_cancelled_ = true;
    is_over_ = true;
  }

  [[nodiscard]] bool is_over() const noexcept { return is_over_; }
  [[nodiscard]] bool is_running(int copy) const noexcept {
    return copy >= 0 && copy < started_ && (running_ & bit(copy)) != 0;
  }
  [[nodiscard]] int started() const noexcept { return started_; }
  [[nodiscard]] bool is_cancelled() const noexcept { return is_cancelled_; }
  /// The copy that decided it; nobody if all have failed, or the call was cancelled.
  [[nodiscard]] int winner() const noexcept { return decided_by_; }
  /// The copy whose end is that of the call: the winner, else the first that failed, else the first that
  /// ended; nobody if the call was cancelled, or no copy ran.
  [[nodiscard]] int result() const noexcept {
    if (is_cancelled_) return nobody;
    if (decided_by_ != nobody) return decided_by_;
    return first_to_fail_ != nobody ? first_to_fail_ : first_to_end_;
  }
  /// The first copy that failed; nobody so far.
  [[nodiscard]] int first_to_fail() const noexcept { return first_to_fail_; }

 private:
  [[nodiscard]] static constexpr std::uint32_t bit(int copy) noexcept { return std::uint32_t{1} << copy; }
  [[nodiscard]] bool may_start_another() const noexcept { return !is_closed_ && started_ < max_copies_; }

  Tick delay_;
  Tick deadline_;
  Tick due_ = 0;  // of the next copy
  int max_copies_;
  int started_ = 0;
  std::uint32_t running_ = 0;  // a bit for each copy
  int decided_by_ = nobody;
  int first_to_fail_ = nobody;
  int first_to_end_ = nobody;
  bool is_due_ = false;     // the next copy, since one has failed
  bool is_closed_ = false;  // no further copy starts
  bool is_cancelled_ = false;
  bool is_over_ = false;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

// fusebox/adaptive_limit/detail/core.hpp: AdaptiveCore, slots whose number a rule sets.
//
// A call that ends adds its latency to the sums of the window, without a lock. The first one that finds the
// window long enough ends it: it takes the sums, asks the rule, sets the limit, and begins the next window.
// One thread at a time does so (`is_closing_`), and calls nobody under the lock: a callback of set_limit()
// may come back here.
//
// The word of the window is its number, and whether it measures (W6). A call keeps the word that it began
// with. A measuring window has few calls: it counts under the lock, and only those with its word.
#pragma once
// IWYU pragma: private, include <fusebox/adaptive_limit.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include <fusebox/adaptive_limit/detail/window_sums.hpp>
#include <fusebox/adaptive_limit/queue.hpp>
#include <fusebox/adaptive_limit/rule.hpp>
#include <fusebox/adaptive_limit/stats.hpp>
#include <fusebox/api_error.hpp>
#include <fusebox/detail/admission.hpp>
#include <fusebox/detail/event_hub.hpp>
#include <fusebox/detail/slots/config.hpp>
#include <fusebox/detail/slots/core.hpp>
#include <fusebox/detail/slots/event_record.hpp>
#include <fusebox/detail/sync.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/fwd.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <>
struct FUSEBOX_API EventRecord<AdaptiveLimitEvent> : SlotEventRecord<AdaptiveLimitEvent> {};

/// What the library asks of an adaptive limit beside its public members.
struct AdaptiveLimitAccess {
  template <class Rule, class C>
  [[nodiscard]] static auto& core(AdaptiveLimit<Rule, C>& limit) noexcept {
    return limit.core_;
  }
  template <class Rule, class C>
  [[nodiscard]] static bool is_idle(const AdaptiveLimit<Rule, C>& limit) noexcept {
    return limit.core_.is_idle();
  }
};

/// The slots of an adaptive limit (see SlotCore).
struct AdaptiveLimitKind {
  using Event = AdaptiveLimitEvent;
  static constexpr PolicyErrc errc = PolicyErrc::bulkhead_full;
  static constexpr const char* cancelled = "cancelled while waiting for the adaptive limit";
  [[nodiscard]] static std::shared_ptr<const RejectionSource> source(std::string_view name) {
    return PolicyRejection::source<BulkheadFullError>(name);
  }
};

/// What a call says that has ended (W4).
enum class SampleKind : unsigned char { answered, late, failed, none };

/// Does a failure say that the dependency had no room?
[[nodiscard]] inline bool is_overload(const Failure& failure) noexcept {
  if (failure.is_rejection() || failure.is_cancellation() || failure.is_config_error()) return false;
  if (failure.is_timeout() || failure.category() == ErrorCategory::network) return true;
  const std::optional<int> status = failure.status();
  return status == 408 || status == 429 || status == 503 || status == 504;
}

template <class Rule, class C, class Sync = StdSync>
class FUSEBOX_API AdaptiveCore final : public SlotCore<AdaptiveLimitKind, C, Sync>, public PermitTarget {
 public:
  using Slots = SlotCore<AdaptiveLimitKind, C, Sync>;

  AdaptiveCore(std::string_view name, const Rule& rule, const AdaptiveLimitQueue& queue, C clock)
      : Slots{name,
              {static_cast<std::uint32_t>(rule.initial), queue.max_waiting, queue.max_wait, queue.headroom},
              std::move(clock)},
        rule_{rule},
        queue_config_{queue},
        due_{saturating_add(fine_tick(this->clock()), ticks(rule.window))},
        state_{rule_} {}

  [[nodiscard]] const Rule& rule() const noexcept { return rule_; }
  [[nodiscard]] const AdaptiveLimitQueue& queue_config() const noexcept { return queue_config_; }

  /// A call has got a slot. Relaxed: a call that begins while the window ends may take either.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE Admission begin() const {
    return {window_.load(std::memory_order_relaxed), fine_tick(this->clock())};
  }

  /// The call has ended, and still has its slot. True if somebody is to call end_window() after it is given
  /// back.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE bool record(Admission admission, SampleKind kind) noexcept {
    if (kind == SampleKind::none) return false;
    const Tick now = fine_tick(this->clock());
    const std::uint32_t in_flight = this->in_use();
    // Acquire: pairs with the release in begin_window(), so that the sums have the mark of this window.
    const std::uint64_t window = window_.load(std::memory_order_acquire);
    if (is_measuring(window)) [[unlikely]] {
      if (admission.word != window) return false;  // it began before
      record_measured(window, elapsed(admission.time, now), in_flight, kind);
    } else if (kind == SampleKind::failed) {
      sums_.add_failed(number(window), in_flight);
    } else {
      sums_.add(number(window), elapsed(admission.time, now), in_flight, kind == SampleKind::late);
    }
    // Relaxed: a hint, which end_window() checks.
    return now >= due_.load(std::memory_order_relaxed);
  }

  /// Ends the window if it has enough calls. Not noexcept: it may run callbacks.
  FUSEBOX_DETAIL_NOINLINE void end_window() {
    const Tick now = fine_tick(this->clock());
    std::uint64_t window = 0;
    AdaptiveWindow seen;
    {
      const Lock lock{mutex_};
      window = window_.load(std::memory_order_relaxed);
      if (is_closing_ || now < due_.load(std::memory_order_relaxed)) return;
      if (is_measuring(window)) {
        if (measured_.calls < rule_.min_samples) return;
        seen = measured_window();
      } else {
        const WindowTotals totals = sums_.totals();
        if (totals.calls() < static_cast<std::uint64_t>(rule_.min_samples) && !totals.is_full) return;
        seen = window_of(sums_.take(number(window) + 1));
      }
      is_closing_ = true;
    }
    const Closing closing{*this, window, seen, state_.next(rule_, seen), now};
    // The limit comes first: what begins in a measuring window has begun under its limit.
    this->set_limit(static_cast<std::uint32_t>(std::clamp<int>(closing.step.limit, rule_.min, rule_.max)));
  }

  [[nodiscard]] AdaptiveLimitStats adaptive_stats() const {
    const SlotStats slots = this->stats();
    const Lock lock{mutex_};
    return {slots.limit,        slots.in_use,   slots.waiting,
            slots.admitted,     slots.rejected, slots.shed,
            slots.longest_wait, windows_,       dropped_,
            latency_,           base_,          is_measuring(window_.load(std::memory_order_relaxed))};
  }

  // Permits.

  void report_permit(Admission admission, Outcome outcome, const Failure* failure) noexcept override {
    SampleKind kind = SampleKind::none;
    if (outcome == Outcome::success) kind = SampleKind::answered;
    if (outcome == Outcome::failure && (failure == nullptr || is_overload(*failure)))
      kind = SampleKind::failed;
    const bool is_due = record(admission, kind);
    this->give_back();
    if (is_due) end_window();
  }
  [[nodiscard]] Outcome judge_permit(Admission /*admission*/, const Failure& failure) const override {
    return is_overload(failure) ? Outcome::failure : Outcome::ignored;
  }
  [[nodiscard]] RejectedError permit_error(Admission /*admission*/) const override {
    return PolicyRejection::error(this->source(), std::nullopt, this->clock().wall_now());
  }
  void end_permit() noexcept override {}

 private:
  using Lock = std::unique_lock<typename Sync::Mutex>;

  static constexpr std::uint64_t measuring_bit = 1;
  [[nodiscard]] static constexpr bool is_measuring(std::uint64_t window) noexcept {
    return (window & measuring_bit) != 0;
  }
  [[nodiscard]] static constexpr std::uint64_t number(std::uint64_t window) noexcept { return window >> 1U; }

  /// The samples of a measuring window: with their spread, by Welford's recurrence.
  struct MeasuredSums {
    int calls = 0;
    int samples = 0;
    int dropped = 0;
    int in_flight = 0;
    Tick time = 0;       // in all
    double mean = 0;     // for the squares: rounded otherwise than the time
    double squares = 0;  // of the distances from the mean

    void add(Tick call) noexcept {
      ++samples;
      time = saturating_add(time, call);
      const auto latency = static_cast<double>(call);
      const double distance = latency - mean;
      mean += distance / samples;
      squares += distance * (latency - mean);
    }
    [[nodiscard]] double error() const noexcept {
      return samples < 2 ? 0 : std::sqrt(squares / (samples - 1) / samples);
    }
  };

  /// From the end of one window to the beginning of the next, which comes also if a callback ends the thread.
  struct Closing {
    AdaptiveCore& core;
    std::uint64_t window;
    const AdaptiveWindow& seen;
    AdaptiveStep step;
    Tick now;

    Closing(AdaptiveCore& core_in, std::uint64_t window_in, const AdaptiveWindow& seen_in,
            AdaptiveStep step_in, Tick now_in) noexcept
        : core{core_in}, window{window_in}, seen{seen_in}, step{step_in}, now{now_in} {}
    Closing(const Closing&) = delete;
    Closing& operator=(const Closing&) = delete;
    ~Closing() { core.begin_window(window, seen, step.measures, now); }
  };

  FUSEBOX_DETAIL_COLD void record_measured(std::uint64_t window, Tick latency, std::uint32_t in_flight,
                                           SampleKind kind) noexcept {
    constexpr int enough = 1'000'000;
    const Lock lock{mutex_};
    if (window_.load(std::memory_order_relaxed) != window || measured_.calls == enough) return;
    ++measured_.calls;
    measured_.in_flight = std::max(measured_.in_flight, static_cast<int>(in_flight));
    if (kind != SampleKind::answered) ++measured_.dropped;
    if (kind != SampleKind::failed) measured_.add(latency);
  }

  [[nodiscard]] AdaptiveWindow measured_window() const noexcept {
    using std::chrono::nanoseconds;
    const Tick mean = measured_.samples > 0 ? measured_.time / measured_.samples : 0;
    return {nanoseconds{mean}, nanoseconds{static_cast<nanoseconds::rep>(measured_.error())},
            measured_.calls,   measured_.samples,
            measured_.dropped, measured_.in_flight};
  }
  [[nodiscard]] static AdaptiveWindow window_of(const WindowTotals& totals) noexcept {
    using std::chrono::nanoseconds;
    const std::uint64_t mean = totals.samples > 0 ? totals.time / totals.samples : 0;
    return {nanoseconds{static_cast<nanoseconds::rep>(mean)},
            {},
            static_cast<int>(totals.calls()),
            static_cast<int>(totals.samples),
            static_cast<int>(totals.dropped),
            static_cast<int>(totals.in_flight)};
  }

  void begin_window(std::uint64_t window, const AdaptiveWindow& seen, bool measures, Tick now) noexcept {
    std::chrono::nanoseconds base{0};
    if constexpr (requires { state_.base(); }) {
      static_assert(noexcept(std::as_const(state_).base()),
                    "fusebox: State::base() of an AdaptiveRule must be const and noexcept");
      base = state_.base();  // of the program's, perhaps: no lock
    }
    const Lock lock{mutex_};
    ++windows_;
    const bool goes_on = measures && is_measuring(window);
    if (!goes_on) {
      dropped_ += static_cast<std::uint64_t>(seen.dropped);
      if (is_measuring(window)) static_cast<void>(sums_.take(number(window) + 1));
      measured_ = {};
      // Release: pairs with the acquire in record().
      window_.store(((number(window) + 1) << 1U) | (measures ? measuring_bit : 0), std::memory_order_release);
    }
    if (seen.samples > 0) latency_ = seen.latency;
    base_ = base;
    // Relaxed: see record().
    due_.store(saturating_add(now, ticks(rule_.window)), std::memory_order_relaxed);
    is_closing_ = false;
  }

  const Rule rule_;
  const AdaptiveLimitQueue queue_config_;
  typename Sync::template Atomic<std::uint64_t> window_{0};
  typename Sync::template Atomic<Tick> due_;
  WindowSums<Sync> sums_;
  typename Rule::State state_;  // belongs to whoever has set is_closing_

  mutable typename Sync::Mutex mutex_;  // guards everything below, and every change of the window
  bool is_closing_ = false;
  MeasuredSums measured_;
  std::uint64_t windows_ = 0;
  std::uint64_t dropped_ = 0;
  std::chrono::nanoseconds latency_{0};
  std::chrono::nanoseconds base_{0};
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

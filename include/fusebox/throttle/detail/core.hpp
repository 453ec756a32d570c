// fusebox/throttle/detail/core.hpp: ThrottleCore, which calls a throttle rejects, and what it counts (V1 to
// V9).
#pragma once
// IWYU pragma: private, include <fusebox/throttle.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/call.hpp>
#include <fusebox/detail/admission.hpp>
#include <fusebox/detail/edge_events.hpp>
#include <fusebox/detail/random.hpp>
#include <fusebox/detail/sharded_counter.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/fwd.hpp>
#include <fusebox/throttle/config.hpp>
#include <fusebox/throttle/detail/request_window.hpp>
#include <fusebox/throttle/detail/shedding.hpp>
#include <fusebox/throttle/state.hpp>
#include <fusebox/throttle/stats.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// A call is admitted by the number of a bucket, and settled with it. A call that counts for nobody is not
/// settled: it has left nothing behind.
template <class C>
class FUSEBOX_API ThrottleCore final : public PermitTarget {
 public:
  ThrottleCore(std::string name, const ThrottleConfig& config, C clock)
      : config_{config},
        clock_{std::move(clock)},
        is_coarse_{config.window >= std::chrono::seconds{1}},
        window_{config.window, now()},
        seed_{config.seed != 0 ? config.seed : EntropySource{}()},
        source_{PolicyRejection::source<ThrottledError>(name)} {}
  ThrottleCore(const ThrottleCore&) = delete;
  ThrottleCore& operator=(const ThrottleCore&) = delete;
  ~ThrottleCore() = default;

  [[nodiscard]] const C& clock() const noexcept { return clock_; }
  [[nodiscard]] const ThrottleConfig& config() const noexcept { return config_; }
  [[nodiscard]] const std::string& name() const noexcept { return source_->name; }
  [[nodiscard]] const std::shared_ptr<const RejectionSource>& source() const noexcept { return source_; }
  [[nodiscard]] EdgeEvents<ThrottleEvent>& events() noexcept { return events_; }

  /// The bucket of a call that is admitted now.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE Tick number() const { return window_.number_at(now()); }

  /// May the call go on? If not, it has been counted. Not noexcept: it may run callbacks.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE bool admit(Tick number, Priority priority) {
    return window_.is_calm(number) || admit_by_window(number, priority);
  }
  /// How an admitted call has ended.
  FUSEBOX_DETAIL_INLINE void settle(Tick number, Priority priority, bool is_accepted) noexcept {
    window_.record(number, priority, is_accepted);
  }

  /// The share of the calls of one priority that is rejected now.
  [[nodiscard]] double rejection_ratio_of(Priority priority) const {
    return Shedding::of(window_.counts(number()), config_).of(priority, config_.max_rejection);
  }

  [[nodiscard]] ThrottleStats stats() const {
    const WindowCounts window = window_.counts(number());
    const CallCounts totals = window_.totals();
    return {window.whole.all_requests(), window.whole.accepts,  Shedding::of(window, config_).ratio,
            rejected_.value(),           totals.all_requests(), totals.accepts};
  }

  // Permits. Their word is the priority, their time the bucket.

  [[nodiscard]] static Admission admission(Tick number, Priority priority) noexcept {
    return {index_of(priority), number};
  }
  void report_permit(Admission admission, Outcome outcome, const Failure* /*failure*/) noexcept override {
    if (outcome == Outcome::ignored) return;
    settle(admission.time, static_cast<Priority>(admission.word), outcome == Outcome::success);
  }
  [[nodiscard]] Outcome judge_permit(Admission /*admission*/, const Failure& failure) const override {
    return default_outcome(failure);
  }
  [[nodiscard]] RejectedError permit_error(Admission /*admission*/) const override {
    return PolicyRejection::error(source_, std::nullopt, clock_.wall_now());
  }
  void end_permit() noexcept override {}

  /// The error of a rejected call; `core` is a ThrottleCore.
  [[nodiscard]] static Failure make_rejection(const void* core, Admission /*admission*/) {
    const auto& self = *static_cast<const ThrottleCore*>(core);
    return PolicyRejection::failure(self.source_, std::nullopt, detail::coarse_wall_time(self.clock_));
  }

 private:
  [[nodiscard]] FUSEBOX_DETAIL_INLINE Tick now() const {
    return is_coarse_ ? detail::coarse_tick(clock_) : detail::fine_tick(clock_);
  }

  /// Not cold: while a dependency fails, every call comes here.
  FUSEBOX_DETAIL_NOINLINE bool admit_by_window(Tick number, Priority priority) {
    const std::uint32_t version = window_.version();
    const Shedding shedding = Shedding::of(window_.counts(number), config_);
    if (shedding.is_calm) window_.set_calm(number, version);
    events_.observe(shedding.ratio > 0 ? ThrottleEventKind::throttling : ThrottleEventKind::free, clock_);
    const double share = shedding.of(priority, config_.max_rejection);
    if (!(share > 0) || draw() >= share) return true;
    rejected_.add();
    window_.record(number, priority, false);
    return false;
  }

  /// The next random number of [0, 1): SplitMix64, whose state threads share.
  [[nodiscard]] double draw() noexcept {
    constexpr std::uint64_t gamma = 0x9e3779b97f4a7c15U;
    // Relaxed: only the order of the numbers is shared.
    const std::uint64_t count = draws_.fetch_add(1, std::memory_order_relaxed);
    return static_cast<double>(mix(seed_ + count * gamma) >> 11U) * 0x1p-53;
  }

  const ThrottleConfig config_;
  [[no_unique_address]] C clock_;
  const bool is_coarse_;
  RequestWindow<> window_;
  const std::uint64_t seed_;
  std::atomic<std::uint64_t> draws_{0};
  const std::shared_ptr<const RejectionSource> source_;
  EdgeEvents<ThrottleEvent> events_;
  ShardedCounter<> rejected_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

// fusebox/call_durations.hpp: how long the calls of a pipeline take, as a histogram (M2).
//
//   CallDurations               the histogram, for metrics
//   measured, MeasuredCalls     the part of a pipeline that measures
//   call_durations/config.hpp   CallDurationsConfig: the buckets
//   call_durations/stats.hpp    CallDurationsStats
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <fusebox/call.hpp>
#include <fusebox/call_durations/config.hpp>  // IWYU pragma: export
#include <fusebox/call_durations/detail/histogram.hpp>
#include <fusebox/call_durations/stats.hpp>  // IWYU pragma: export
#include <fusebox/clock.hpp>
#include <fusebox/detail/flow/drive.hpp>
#include <fusebox/detail/flow/layer.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/fwd.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// The durations of calls, counted in buckets. For metrics, under a name in a PolicyRegistry; measured()
/// fills it. All members are thread-safe.
class FUSEBOX_API CallDurations {
 public:
  /// Throws ConfigError if the name is empty or longer than 512 bytes, or `validate` refuses the config.
  explicit CallDurations(std::string name, CallDurationsConfig config = {})
      : name_{checked(std::move(name), config)}, config_{std::move(config)}, histogram_{config_.bounds} {}
  CallDurations(const CallDurations&) = delete;
  CallDurations& operator=(const CallDurations&) = delete;

  [[nodiscard]] CallDurationsStats stats() const { return histogram_.stats(); }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const CallDurationsConfig& config() const noexcept { return config_; }

 private:
  template <class>
  friend struct detail::Layer;

  [[nodiscard]] static std::string checked(std::string name, const CallDurationsConfig& config) {
    detail::check_name("CallDurations", name);
    detail::throw_if("CallDurationsConfig", detail::check(config));
    return name;
  }

  std::string name_;
  CallDurationsConfig config_;
  detail::DurationHistogram histogram_;
};

/// Measures each call, however it ends: with a value, a failure, a rejection or a cancellation; not one that
/// an exception of a hook or a clock cut short. Made by measured(). Copies share the histogram. All members
/// are thread-safe.
template <class C>
class MeasuredCalls {
  static_assert(Clock<C>, "fusebox: MeasuredCalls<C> needs a C that models fusebox::Clock");

 public:
  /// Use measured().
  explicit MeasuredCalls(std::shared_ptr<CallDurations> durations, C clock = {})
      : durations_{std::move(durations)}, clock_{std::move(clock)} {}

  /// Calls op and returns what it returns. Options: a std::stop_token, a Deadline, failure_if.
  template <class Op, class... Options>
  FUSEBOX_DETAIL_INLINE decltype(auto) execute(Op&& op, Options&&... options) {
    return detail::drive(detail::PartTuple<MeasuredCalls&>{*this}, op, options...);
  }

  [[nodiscard]] const C& clock() const noexcept { return clock_; }

 private:
  template <class>
  friend struct detail::Layer;

  std::shared_ptr<CallDurations> durations_;
  [[no_unique_address]] C clock_;
};

/// A part of a pipeline that measures how long a call is inside it: outermost, the whole logical call; inside
/// a retry, each attempt. `durations` must not be null.
///
///     auto call = compose(measured(registry.get<CallDurations>("orders")), total_timeout(30s),
///     retry(config));
template <class C = SystemClock>
[[nodiscard]] MeasuredCalls<C> measured(std::shared_ptr<CallDurations> durations, C clock = {}) {
  return MeasuredCalls<C>{std::move(durations), std::move(clock)};
}

namespace detail {

template <class C>
struct Layer<MeasuredCalls<C>> {
  static constexpr bool is_layer = true;
  static constexpr bool watches_late = false;
  using Clock = C;

  template <class Explanation>
  static void explain(const MeasuredCalls<C>& policy, Explanation& text) {
    text.say("measured", policy.durations_->name(),
             std::string{"records how long each "} + text.unit() + " takes");
  }

  template <class Context>
  class Frame {
   public:
    Frame(MeasuredCalls<C>& policy, const Call& call, NoSide& /*side*/) noexcept
        : policy_{policy}, call_{call} {}
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;
    ~Frame() = default;

    FUSEBOX_DETAIL_INLINE Verdict enter(SlotBase& /*slot*/) {
      began_ = fine_tick(policy_.clock_);
      return Verdict::success;
    }
    [[nodiscard]] const Call& call() const noexcept { return call_; }

    template <class Slot>
    FUSEBOX_DETAIL_INLINE bool again(Verdict& /*verdict*/, Slot& /*slot*/) {
      policy_.durations_->histogram_.add(elapsed(began_, fine_tick(policy_.clock_)));
      return false;
    }

   private:
    MeasuredCalls<C>& policy_;
    const Call& call_;
    Tick began_ = 0;
  };
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

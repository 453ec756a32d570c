// fusebox/hedge/detail/state.hpp: HedgeState, what the copies of a hedge share.
#pragma once
// IWYU pragma: private, include <fusebox/hedge.hpp>

#include <chrono>
#include <memory>
#include <utility>

#include <fusebox/detail/call_observers.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/hedge/config.hpp>
#include <fusebox/hedge/detail/latencies.hpp>
#include <fusebox/hedge/detail/running.hpp>
#include <fusebox/hedge/detail/totals.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Copies of calls that lost refer to it beside the hedge. All members are thread-safe.
class HedgeState {
 public:
  HedgeState(const HedgeConfig& given, std::shared_ptr<HedgeTotals> totals)
      : config{given}, counts{std::move(totals)} {}
  HedgeState(const HedgeState&) = delete;
  HedgeState& operator=(const HedgeState&) = delete;

  /// Of a call that begins now (J5).
  [[nodiscard]] Tick delay() const noexcept {
    if (config.percentile > 0) {
      if (const auto known = latencies.percentile(config.percentile, config.minimum_calls)) return *known;
    }
    return ticks(config.delay);
  }
  /// A call has succeeded, so long after it began.
  void win(bool by_primary, Tick latency) noexcept {
    counts->count_win(by_primary);
    if (config.percentile > 0) latencies.add(latency);
  }

  const HedgeConfig config;
  const std::shared_ptr<HedgeTotals> counts;
  HedgeLatencies latencies;
  HedgeRunning running;
  CallObservers observers;
};

/// The last of its owners waits for the copies that still run (J7).
class HedgeOwner {
 public:
  explicit HedgeOwner(std::shared_ptr<HedgeState> state) noexcept : state_{std::move(state)} {}
  HedgeOwner(const HedgeOwner&) = delete;
  HedgeOwner& operator=(const HedgeOwner&) = delete;
  ~HedgeOwner() { state_->running.wait(); }

  [[nodiscard]] const std::shared_ptr<HedgeState>& state() const noexcept { return state_; }

 private:
  std::shared_ptr<HedgeState> state_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

// fusebox/call_recorder.hpp: CallRecorder, which keeps how the last calls of policies ended, and writes them
// as CSV.
//
//   CallRecorder                      watch(policy), calls(), to_csv()
//   call_recorder/config.hpp          CallRecorderConfig, validate
//   call_recorder/recorded_call.hpp   RecordedCall, CallRecorderStats
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fusebox/call.hpp>
#include <fusebox/call_recorder/config.hpp>  // IWYU pragma: export
#include <fusebox/call_recorder/detail/ring.hpp>
#include <fusebox/call_recorder/recorded_call.hpp>  // IWYU pragma: export
#include <fusebox/clock.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/fwd.hpp>
#include <fusebox/subscription.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// Keeps when the last calls of policies began, how long they took and how they ended (rules O1 to O3 in
/// docs/rules.md), for `storm replay`. All members are thread-safe. It allocates when it is made and when it
/// first sees a name, not for each call.
///
///     CallRecorder<> recorder;
///     recorder.watch(breaker);
///     …
///     std::ofstream{"trace.csv"} << recorder.to_csv();
template <class C>
class CallRecorder {
  static_assert(TimeSource<C>, "fusebox: CallRecorder<C> needs a TimeSource");

 public:
  /// Times count from now on, by `clock`. Throws ConfigError for a config that `validate` refuses.
  explicit CallRecorder(const CallRecorderConfig& config = {}, C clock = {})
      : clock_{std::move(clock)},
        start_{detail::fine_tick(clock_)},
        started_at_{clock_.wall_now()},
        ring_{checked(config)} {}
  CallRecorder(const CallRecorder&) = delete;
  CallRecorder& operator=(const CallRecorder&) = delete;
  /// Ends the subscriptions. A callback that runs is waited for.
  ~CallRecorder() = default;

  /// From now on records the calls of a policy, which has on_call(): a breaker, a bulkhead, a rate limiter, a
  /// timeout, a retry. Until the recorder is destroyed; either may go first.
  template <class P>
  void watch(P& policy) {
    static_assert(
        requires { policy.on_call([](const CallEvent&) {}); },
        "fusebox: CallRecorder watches a policy that has on_call()");
    Subscription subscription = policy.on_call([this](const CallEvent& event) { record(event); });
    const std::lock_guard lock{mutex_};
    subscriptions_.push_back(std::move(subscription));
  }

  /// A call that ends now: for a callback of on_call() of your own.
  void record(const CallEvent& event) {
    const detail::Tick now = detail::fine_tick(clock_) - start_;
    const detail::Tick latency = event.duration ? detail::ticks(*event.duration) : -1;
    detail::CallRecord call{.time = detail::saturating_add(now, -std::max<detail::Tick>(latency, 0)),
                            .latency = latency,
                            .name = 0,
                            .status = 0,
                            .outcome = event.outcome,
                            .is_network_error = false};
    if (event.failure != nullptr) {
      const Failure& failure = *event.failure;
      const int status = failure.status().value_or(0);
      call.status = static_cast<std::int16_t>(status >= 100 && status <= 999 ? status : 0);
      call.is_network_error =
          failure.category() == ErrorCategory::network || detail::is_network_error(failure.code());
    }
    const std::lock_guard lock{mutex_};
    call.name = number_of(event.name);
    ring_.push(call);
  }

  /// What it keeps, the call that began first in front.
  [[nodiscard]] std::vector<RecordedCall> calls() const {
    const Kept kept = this->kept();
    std::vector<RecordedCall> found;
    found.reserve(kept.calls.size());
    for (const detail::CallRecord& call : kept.calls) {
      found.push_back(
          {kept.names[call.name], std::chrono::nanoseconds{call.time},
           call.latency < 0 ? std::nullopt : std::optional{std::chrono::nanoseconds{call.latency}},
           call.outcome, call.status == 0 ? std::nullopt : std::optional<int>{call.status},
           call.is_network_error});
    }
    return found;
  }

  /// Appends them as CSV: the line `time_s,latency_ms,outcome,code`, and a line for each call (O3).
  void write_csv(std::string& out) const { append_csv(out, std::nullopt); }
  /// Those of the policy of this name.
  void write_csv(std::string& out, std::string_view name) const { append_csv(out, name); }
  [[nodiscard]] std::string to_csv() const {
    std::string out;
    write_csv(out);
    return out;
  }
  [[nodiscard]] std::string to_csv(std::string_view name) const {
    std::string out;
    write_csv(out, name);
    return out;
  }

  /// Forgets the calls and their counts; goes on watching.
  void clear() {
    const std::lock_guard lock{mutex_};
    ring_.clear();
  }
  [[nodiscard]] CallRecorderStats stats() const {
    const std::lock_guard lock{mutex_};
    return {ring_.pushed(), ring_.dropped()};
  }
  /// When its times begin, as wall time.
  [[nodiscard]] std::chrono::system_clock::time_point started_at() const noexcept { return started_at_; }

 private:
  [[nodiscard]] static std::size_t checked(const CallRecorderConfig& config) {
    detail::throw_if("CallRecorderConfig", detail::check(config));
    return static_cast<std::size_t>(config.capacity);
  }

  /// Of a name in names_, which it joins if it is new. Names are few: one for each policy that is watched.
  [[nodiscard]] std::uint32_t number_of(const std::string& name) {
    auto found = std::find(names_.begin(), names_.end(), name);
    if (found == names_.end()) found = names_.insert(found, name);
    return static_cast<std::uint32_t>(found - names_.begin());
  }

  struct Kept {
    std::vector<detail::CallRecord> calls;  // the first in front
    std::vector<std::string> names;
  };
  /// Copies under the lock and sorts after it, so that calls wait no longer than for the copy.
  [[nodiscard]] Kept kept() const {
    Kept kept;
    {
      const std::lock_guard lock{mutex_};
      kept = {ring_.by_end(), names_};
    }
    detail::sort_by_time(kept.calls);
    return kept;
  }

  void append_csv(std::string& out, std::optional<std::string_view> only) const {
    const Kept kept = this->kept();
    out.append("time_s,latency_ms,outcome,code\n");
    for (const detail::CallRecord& call : kept.calls) {
      if (!only || kept.names[call.name] == *only) detail::append_csv_row(out, call);
    }
  }

  [[no_unique_address]] C clock_;
  const detail::Tick start_;
  const std::chrono::system_clock::time_point started_at_;
  mutable std::mutex mutex_;  // guards all below
  detail::CallRing ring_;
  std::vector<std::string> names_;
  std::vector<Subscription> subscriptions_;  // last: destroyed first, so that no callback runs any more
};

CallRecorder(CallRecorderConfig) -> CallRecorder<SystemClock>;
template <class C>
CallRecorder(CallRecorderConfig, C) -> CallRecorder<C>;

FUSEBOX_END_NAMESPACE

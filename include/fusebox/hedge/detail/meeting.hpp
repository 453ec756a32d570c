// fusebox/hedge/detail/meeting.hpp: HedgeMeeting, where the copies of one hedged call and its caller meet.
//
// The caller asks the HedgeRace what is next; the copies report how they end. One mutex guards the race;
// nothing of the user's runs under it.
#pragma once
// IWYU pragma: private, include <fusebox/hedge.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <fusebox/clock.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/detail/timer/node.hpp>
#include <fusebox/hedge/detail/race.hpp>
#include <fusebox/hedge/detail/state.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Knows no op: who runs, who waits, and who is stopped.
template <class C>
class HedgeMeeting : public std::enable_shared_from_this<HedgeMeeting<C>> {
 public:
  /// What one copy can be stopped by.
  struct Runner {
    explicit Runner(int given) noexcept : number{given} {}
    const int number;
    StopSource stop;
    StopToken token = stop.get_token();
  };

  HedgeMeeting(std::shared_ptr<HedgeState> state, const C& clock, const Deadline& deadline)
      : state_{std::move(state)},
        clock_{clock},
        deadline_{DeadlineOf::moved_to(deadline, ClockRef{clock_})},
        began_{now()},
        race_{state_->config.max_hedges, state_->delay(), ticks(deadline_.time())} {}
  HedgeMeeting(const HedgeMeeting&) = delete;
  HedgeMeeting& operator=(const HedgeMeeting&) = delete;

  // For the caller's thread.

  /// What a coroutine does now. A wait lasts until its end, or until wake_token() is stopped; then woke().
  [[nodiscard]] HedgeRace::Next next_step() {
    const Tick time = now();
    const std::lock_guard lock{mutex_};
    const HedgeRace::Next next = race_.next(time);
    if (next.what == HedgeRace::What::wait) wake_ = std::make_shared<StopSource>();
    return next;
  }
  [[nodiscard]] StopToken wake_token() {
    const std::lock_guard lock{mutex_};
    return wake_->get_token();
  }
  /// The wait has ended. One that nobody has ended early was cancelled by the framework of the coroutine
  /// (A7).
  void woke(bool to_its_end) {
    std::shared_ptr<StopSource> wake;
    {
      const std::lock_guard lock{mutex_};
      wake = std::exchange(wake_, nullptr);
    }
    if (!to_its_end && !wake->stop_requested()) cancel();
  }

  /// What to do now; waits on this thread until there is something.
  [[nodiscard]] HedgeRace::Next next() {
    for (;;) {
      const Tick time = now();
      std::unique_lock lock{mutex_};
      has_changed_ = false;
      const HedgeRace::Next next = race_.next(time);
      if (next.what != HedgeRace::What::wait) return next;
      if (next.wait == tick_max) {
        changed_.wait(lock, [this] { return has_changed_; });
      } else {
        sleep(lock, std::chrono::nanoseconds{next.wait});
      }
    }
  }
  /// The copy that next() named is about to start. False: the race has been decided meanwhile.
  [[nodiscard]] bool start(Runner& runner) {
    const Tick time = now();
    const std::lock_guard lock{mutex_};
    if (race_.is_over()) return false;
    runners_.push_back(&runner);
    race_.start(time);
    return true;
  }
  [[nodiscard]] int first_to_fail() {
    const std::lock_guard lock{mutex_};
    return race_.first_to_fail();
  }
  void close() {
    const std::lock_guard lock{mutex_};
    race_.close();
  }
  /// Stops all copies: the caller is stopped, or leaves by an exception.
  void cancel() noexcept {
    settle([&] { race_.cancel(); }, nullptr);
  }

  // For the thread of a copy.

  /// How a copy ended.
  void report(Runner& runner, Verdict verdict) {
    const Tick time = now();
    settle([&] { race_.report(runner.number, verdict, time); }, &runner, time);
  }
  /// It ended without a result.
  void drop(Runner& runner) noexcept {
    settle([&] { race_.drop(runner.number); }, &runner);
  }
  void decide(Runner& runner) noexcept {
    settle([&] { race_.decide(runner.number); }, &runner);
  }
  [[nodiscard]] bool is_over() {
    const std::lock_guard lock{mutex_};
    return race_.is_over();
  }

  [[nodiscard]] const C& clock() const noexcept { return clock_; }

 protected:
  [[nodiscard]] const HedgeRace& race() const noexcept { return race_; }  // once it is over
  [[nodiscard]] Tick latency() const noexcept { return elapsed(began_, won_at_); }
  [[nodiscard]] HedgeState& state() noexcept { return *state_; }
  [[nodiscard]] const std::shared_ptr<HedgeState>& shared_state() const noexcept { return state_; }
  [[nodiscard]] const Deadline& deadline() const noexcept { return deadline_; }
  [[nodiscard]] std::chrono::system_clock::time_point wall_now() const { return clock_.wall_now(); }

 private:
  [[nodiscard]] Tick now() const { return detail::fine_tick(clock_); }

  /// Changes the race, wakes the caller, and if the race is over by that, stops who still runs.
  template <class Change>
  void settle(Change change, const Runner* by, Tick time = 0) {
    // Who is woken, or stopped, may end here and now, and be the last that holds this.
    const auto self = this->weak_from_this().lock();
    bool ends = false;
    std::shared_ptr<StopSource> wake;
    {
      const std::lock_guard lock{mutex_};
      const bool was_over = race_.is_over();
      change();
      ends = !was_over && race_.is_over();
      if (ends) won_at_ = time;
      has_changed_ = true;
      wake = wake_;
    }
    changed_.notify_one();
    if (wake) wake->request_stop();
    if (!ends) return;
    // Nobody joins a race that is over, so the list stays as it is.
    for (Runner* runner : runners_) {
      if (runner != by) runner->stop.request_stop();
    }
  }

  /// By the clock, until something changes.
  void sleep(std::unique_lock<std::mutex>& lock, std::chrono::nanoseconds time) {
    static_assert(Clock<C>,
                  "fusebox: op returns no coroutine, so a hedge waits on this thread: it needs a clock whose "
                  "sleep_for blocks and returns bool (a Clock)");
#if FUSEBOX_DETAIL_STOP_TOKEN
    const auto wake = std::make_shared<StopSource>();
    wake_ = wake;
    lock.unlock();
    static_cast<void>(clock_.sleep_for(time, wake->get_token()));
    lock.lock();
    wake_.reset();
#else  // nothing ends a sleep early: look now and then
    constexpr std::chrono::nanoseconds look = std::chrono::milliseconds{1};
    lock.unlock();
    static_cast<void>(clock_.sleep_for(std::min(time, look), StopToken{}));
    lock.lock();
#endif
  }

  std::shared_ptr<HedgeState> state_;
  [[no_unique_address]] const C clock_;
  const Deadline deadline_;
  const Tick began_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<StopSource> wake_;  // of the caller, while it sleeps
  bool has_changed_ = false;
  HedgeRace race_;
  Tick won_at_ = 0;
  std::vector<Runner*> runners_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

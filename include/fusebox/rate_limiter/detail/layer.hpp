// fusebox/rate_limiter/detail/layer.hpp: a rate limiter as a layer of the flow of a call.
#pragma once
// IWYU pragma: private, include <fusebox/rate_limiter.hpp>

#include <chrono>
#include <string>

#include <fusebox/api_error.hpp>
#include <fusebox/call.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/call_observers.hpp>
#include <fusebox/detail/flow/layer.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/fwd.hpp>
#include <fusebox/rate_limiter/config.hpp>
#include <fusebox/rate_limiter/detail/gcra.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class C>
struct Layer<RateLimiter<C>> {
  static constexpr bool is_layer = true;
  static constexpr bool watches_late = false;
  using Clock = C;
  [[nodiscard]] static CallObservers& observers(RateLimiter<C>& limiter) noexcept {
    return limiter.observers_;
  }

  template <class Explanation>
  static void explain(const RateLimiter<C>& limiter, Explanation& text) {
    const RateLimiterConfig& config = limiter.config();
    std::string line = "admits " + std::to_string(config.permits) + " in " + duration_text(config.per) +
                       (config.burst == 0 ? "" : ", up to " + std::to_string(config.burst) + " at once") +
                       ", takes one permit for each " + text.unit();
    if (config.max_wait.count() == 0) {
      line.append(" and rejects at once if none is there");
    } else {
      line.append(" and waits for it ");
      line.append(config.max_wait == no_timeout ? "without a limit"
                                                : "at most " + duration_text(config.max_wait));
      text.delay(config.max_wait);
    }
    text.say("rate limiter", limiter.name(), line);
  }

  /// The place of a call that waits. Not initialised: most calls never touch it.
  struct Side {
    Reservation reserved;
  };

  template <class Context>
  class Frame {
   public:
    FUSEBOX_DETAIL_INLINE Frame(RateLimiter<C>& limiter, const Call& call, Side& side) noexcept
        : limiter_{limiter}, call_{call}, side_{side} {}
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;
    FUSEBOX_DETAIL_INLINE ~Frame() {
      if (is_waiting_) [[unlikely]]
        give_back(limiter_, side_);
    }

    FUSEBOX_DETAIL_INLINE Verdict enter(SlotBase& slot) {
      const Tick now = detail::fine_tick(limiter_.clock_);
      if (limiter_.gcra_.try_take(1, now)) [[likely]] {
        limiter_.admit();
        return Verdict::success;
      }
      // Constants: from them g++ knows that a refused call has no value.
      if (!reserve(limiter_, call_, side_, slot, now)) return Verdict::rejected;
      is_waiting_ = side_.reserved.wait > 0;
      return is_waiting_ ? Verdict::waiting : Verdict::success;
    }
    [[nodiscard]] const Call& call() const noexcept { return call_; }
    template <class Slot>
    FUSEBOX_DETAIL_INLINE bool again(Verdict&, Slot&) noexcept {
      return false;
    }

    [[nodiscard]] std::chrono::nanoseconds wait_time() const noexcept {
      return std::chrono::nanoseconds{side_.reserved.wait};
    }
    [[nodiscard]] StopToken wait_token() const { return call_.stop_token(); }
    bool sleep() {
      static_assert(
          fusebox::Clock<C>,
          "fusebox: op returns no coroutine, so a rate limiter waits on this thread: it needs a clock whose "
          "sleep_for blocks and returns bool (a Clock)");
      return limiter_.clock_.sleep_for(wait_time(), wait_token());
    }
    Verdict waited(bool to_its_end, SlotBase& slot) {
      is_waiting_ = false;
      switch (end_wait(limiter_, call_, side_, to_its_end, slot)) {
        case Ending::admitted: return Verdict::success;
        case Ending::rejected: return Verdict::rejected;
        case Ending::cancelled: break;
      }
      return Verdict::cancelled;
    }

   private:
    RateLimiter<C>& limiter_;
    const Call& call_;
    Side& side_;
    bool is_waiting_ = false;
  };

 private:
  /// False if the call is refused.
  FUSEBOX_DETAIL_NOINLINE static bool reserve(RateLimiter<C>& limiter, const Call& call, Side& side,
                                              SlotBase& slot, Tick now) {
    side.reserved = limiter.reserve(1, now, call.deadline());
    if (!side.reserved.is_refused()) return true;
    slot.refuse(PolicyErrc::rate_limited, &RateLimiter<C>::make_rejection, &limiter, {0, side.reserved.wait});
    return false;
  }

  FUSEBOX_DETAIL_COLD static void give_back(RateLimiter<C>& limiter, const Side& side) noexcept {
    limiter.gcra_.give_back(side.reserved);
  }

  enum class Ending : unsigned char { admitted, rejected, cancelled };

  /// A wait that the deadline ended is a rejection, one that the token ended a cancellation (P9).
  FUSEBOX_DETAIL_COLD static Ending end_wait(RateLimiter<C>& limiter, const Call& call, const Side& side,
                                             bool to_its_end, SlotBase& slot) {
    if (to_its_end) {
      limiter.admit();
      return Ending::admitted;
    }
    give_back(limiter, side);
    if (call.deadline().expired()) {
      limiter.reject();
      slot.refuse(PolicyErrc::rate_limited, &RateLimiter<C>::make_rejection, &limiter,
                  {0, limiter.retry_after().count()});
      return Ending::rejected;
    }
    slot.fail_own(
        Failure{CancelledError{"cancelled while waiting for a permit of rate limit '" + limiter.name() + "'",
                               limiter.clock_.wall_now()}});
    return Ending::cancelled;
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

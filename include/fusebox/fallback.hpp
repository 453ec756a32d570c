// fusebox/fallback.hpp: another value in place of a failure, as a part of a pipeline.
//
//   fallback(f)                       for failures and rejections
//   fallback_when_rejected(f)         for rejections alone
//   fallback_to_last_good(max_age)    the last value that succeeded, while it is young enough
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>

#include <fusebox/clock.hpp>
#include <fusebox/detail/flow/fallback.hpp>
#include <fusebox/detail/flow/layer.hpp>
#include <fusebox/detail/flow/result.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {
template <class F>
consteval void check_fallback() {
  static_assert(is_fallback<F>,
                "fusebox: the fallback must be callable with nothing or with a const Failure&");
}
}  // namespace detail

/// The value of `f()` or `f(const Failure&)` for a call that failed or was rejected, not for one that was
/// cancelled (P5). What f throws replaces the failure. f may run on several threads at once.
template <class F>
[[nodiscard]] auto fallback(F&& f) {
  detail::check_fallback<std::decay_t<F>>();
  return detail::FallbackPolicy<std::decay_t<F>>{std::forward<F>(f)};
}

/// As fallback(), for rejections alone: a failure of op goes on.
template <class F>
[[nodiscard]] auto fallback_when_rejected(F&& f) {
  detail::check_fallback<std::decay_t<F>>();
  return detail::FallbackPolicy<std::decay_t<F>, detail::FallsBack::when_rejected>{std::forward<F>(f)};
}

/// Keeps a copy of the last value that came from inside, and gives it for a call that failed or was rejected
/// within `max_age` after; fallback_to_last_good() makes it. One copy for all calls of the pipeline: keep a
/// pipeline for each key whose values differ. Each success copies its value, under a lock. Thread-safe;
/// copies share the value.
template <class C>
class LastGood {
  static_assert(TimeSource<C>, "fusebox: LastGood<C> needs a C that models fusebox::TimeSource");

 public:
  /// Use fallback_to_last_good().
  LastGood(std::chrono::nanoseconds max_age, C clock)
      : max_age_{max_age}, clock_{std::move(clock)}, kept_{std::make_shared<Kept>()} {}

  [[nodiscard]] std::chrono::nanoseconds max_age() const noexcept { return max_age_; }
  [[nodiscard]] const C& clock() const noexcept { return clock_; }

 private:
  template <class P>
  friend struct detail::Layer;

  struct Kept {
    std::mutex mutex;
    std::shared_ptr<const void> value;
    const void* type = nullptr;
    detail::Tick time = 0;
  };
  template <class T>
  static constexpr char type_of = 0;  // its address stands for T

  template <class T>
  void keep(std::shared_ptr<const T> value) const {
    const detail::Tick now = detail::fine_tick(clock_);
    std::shared_ptr<const void> former = std::move(value);  // destroyed after the lock is released
    const std::lock_guard lock{kept_->mutex};
    if (kept_->type == &type_of<T> && now < kept_->time) return;  // another thread kept a later one
    kept_->value.swap(former);
    kept_->type = &type_of<T>;
    kept_->time = now;
  }
  /// Null if there is none, of that type, that is young enough.
  template <class T>
  [[nodiscard]] std::shared_ptr<const T> find() const {
    const detail::Tick now = detail::fine_tick(clock_);
    const std::lock_guard lock{kept_->mutex};
    if (kept_->type != &type_of<T> || detail::elapsed(kept_->time, now) > detail::ticks(max_age_))
      return nullptr;
    return std::static_pointer_cast<const T>(kept_->value);
  }

  std::chrono::nanoseconds max_age_;
  [[no_unique_address]] C clock_;
  std::shared_ptr<Kept> kept_;
};

/// The last value that succeeded, if it is at most `max_age` old, for a call that failed or was rejected. The
/// result type must be copyable. Throws ConfigError unless max_age is above 0.
template <class C = SystemClock>
[[nodiscard]] LastGood<C> fallback_to_last_good(std::chrono::nanoseconds max_age, C clock = {}) {
  if (!detail::is_positive_duration(max_age)) {
    detail::throw_invalid("fallback_to_last_good.max_age must be above 0, got " +
                          detail::duration_text(max_age));
  }
  return {max_age, std::move(clock)};
}

namespace detail {

template <class C>
struct Layer<LastGood<C>> {
  static constexpr bool is_layer = true;
  static constexpr bool watches_late = false;
  static constexpr LayerKind kind = LayerKind::fallback;
  using Clock = C;

  template <class Explanation>
  static void explain(const LastGood<C>& policy, Explanation& text) {
    text.say("fallback to the last good value", "",
             std::string{"for each "} + text.unit() + " that failed or was rejected, " +
                 (policy.max_age() == no_timeout
                      ? "however old the value is"
                      : "while the value is at most " + duration_text(policy.max_age()) + " old"));
  }

  template <class Context>
  class Frame {
   public:
    Frame(LastGood<C>& policy, const Call& call, NoSide& /*side*/) noexcept : policy_{policy}, call_{call} {}

    static Verdict enter(SlotBase& /*slot*/) noexcept { return Verdict::success; }
    [[nodiscard]] const Call& call() const noexcept { return call_; }

    template <class Slot>
    bool again(Verdict& verdict, Slot& slot) {
      using R = typename Slot::result_type;
      static_assert(std::is_void_v<R> || std::is_copy_constructible_v<R>,
                    "fusebox: fallback_to_last_good keeps a copy of each value, so the result type must be "
                    "copyable");
      static_assert(!std::is_void_v<R> && !std::is_reference_v<R>,
                    "fusebox: fallback_to_last_good keeps values, so op must return one");
      if (detail::has_value(verdict)) {
        slot.visit([&](const auto& value) { policy_.keep(std::make_shared<const R>(value)); });
      } else if (!detail::is_nobodys(verdict)) {
        if (const auto last = policy_.template find<R>()) {
          slot.make_result([&]() -> R { return *last; });
          verdict = Verdict::success;
        }
      }
      return false;
    }

   private:
    LastGood<C>& policy_;
    const Call& call_;
  };
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

// fusebox/clock.hpp: where time comes from.
//
//   SystemClock         the clock of production, the default of every policy
//   Deadline            a point in time by which something must be done, or never
//   no_timeout          the timeout of a call that never times out
//   clock/concept.hpp   TimeSource, Clock, what a policy needs of a clock; StopToken
//
// A policy reads the clock that it was given and no other (T3). test::ScopedSystemClock replaces what
// SystemClock reads, so that code that names no clock can be tested too.
#pragma once

#include <chrono>
#include <memory>
#include <type_traits>

#if defined(__linux__)
#include <ctime>
#endif

#include <fusebox/clock/concept.hpp>  // IWYU pragma: export
#include <fusebox/clock/detail/time_source.hpp>
#include <fusebox/detail/ticks.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {
struct DeadlineOf;
}  // namespace detail

/// The timeout of a call that never times out.
inline constexpr std::chrono::nanoseconds no_timeout = std::chrono::nanoseconds::max();

/// The clocks of the system. Stateless and thread-safe.
class FUSEBOX_API SystemClock {
 public:
  [[nodiscard]] FUSEBOX_DETAIL_INLINE std::chrono::steady_clock::time_point now() const {
    // Relaxed: a hint; replaced_now() acquires.
    if (detail::clock_override.load(std::memory_order_relaxed) != nullptr) [[unlikely]]
      return replaced_now();
    return system_now();
  }

  /// A cheaper reading that moves in ticks of a few milliseconds (CLOCK_MONOTONIC_COARSE on Linux; elsewhere
  /// the same as now()). It has a timeline of its own: never subtract it from now() (T1).
  [[nodiscard]] FUSEBOX_DETAIL_INLINE std::chrono::steady_clock::time_point coarse_now() const {
    // Relaxed: a hint; replaced_coarse_now() acquires.
    if (detail::clock_override.load(std::memory_order_relaxed) != nullptr) [[unlikely]]
      return replaced_coarse_now();
    return system_coarse_now();
  }

  [[nodiscard]] std::chrono::system_clock::time_point wall_now() const {
    if (const auto* source = detail::current_clock_override()) [[unlikely]]
      return source->wall_now();
    return std::chrono::system_clock::now();
  }

  /// A cheaper reading that is up to a few milliseconds behind (CLOCK_REALTIME_COARSE on Linux; elsewhere the
  /// same as wall_now()). A rejection that a fallback receives has its time from it.
  [[nodiscard]] std::chrono::system_clock::time_point coarse_wall_now() const {
    if (const auto* source = detail::current_clock_override()) [[unlikely]]
      return source->wall_now();
#if defined(__linux__)
    ::timespec time;
    ::clock_gettime(CLOCK_REALTIME_COARSE, &time);
    using std::chrono::system_clock;
    const auto since_epoch = std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
    return system_clock::time_point{std::chrono::floor<system_clock::duration>(since_epoch)};
#else
    return std::chrono::system_clock::now();
#endif
  }

  /// Waits for `duration`; returns false as soon as `token` is stopped, also before.
  bool sleep_for(std::chrono::nanoseconds duration, StopToken token = {}) const {
    if (const auto* source = detail::current_clock_override()) [[unlikely]]
      return source->sleep_for(duration, token);
    return detail::system_sleep(duration, token);
  }

  /// For the timeout that uses this clock: `node` is stopped once now() has reached `due`. A clock that wraps
  /// this one forwards both (D1).
  template <class Node>
  void arm(Node& node, std::chrono::steady_clock::time_point due) const {
    if (const auto* source = detail::current_clock_override()) [[unlikely]]
      return source->arm(node, due);
    arm_on_thread(node, detail::ticks(due));
  }
  /// Where it was armed, whatever this clock reads by now (D9).
  template <class Node>
  void disarm(Node& node) const noexcept {
    if (node.armed_on != nullptr) [[unlikely]]
      return node.armed_on->disarm(node);
    disarm_on_thread(node);
  }

 private:
#if defined(__linux__)
  [[nodiscard]] FUSEBOX_DETAIL_INLINE static detail::SteadyTime read(::clockid_t clock) {
    ::timespec time;
    ::clock_gettime(clock, &time);
    return detail::SteadyTime{std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec}};
  }
  // What std::chrono::steady_clock reads, with one call less.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE static detail::SteadyTime system_now() { return read(CLOCK_MONOTONIC); }
  [[nodiscard]] FUSEBOX_DETAIL_INLINE static detail::SteadyTime system_coarse_now() {
    return read(CLOCK_MONOTONIC_COARSE);
  }
#else
  [[nodiscard]] static detail::SteadyTime system_now() { return std::chrono::steady_clock::now(); }
  [[nodiscard]] static detail::SteadyTime system_coarse_now() { return std::chrono::steady_clock::now(); }
#endif
  [[nodiscard]] FUSEBOX_DETAIL_COLD static detail::SteadyTime replaced_now() {
    const auto* source = detail::current_clock_override();
    return source != nullptr ? source->now() : system_now();
  }
  [[nodiscard]] FUSEBOX_DETAIL_COLD static detail::SteadyTime replaced_coarse_now() {
    const auto* source = detail::current_clock_override();
    return source != nullptr ? source->coarse_now() : system_coarse_now();
  }
};

namespace detail {

/// Reads a clock of any type: two words, and nothing to free. Refers to the clock unless its type is empty,
/// such as SystemClock.
class ClockRef {
 public:
  /// No clock.
  constexpr ClockRef() noexcept = default;
  template <class C>
  explicit ClockRef(const C& clock) noexcept : read_{&read<C>} {
    if constexpr (!std::is_empty_v<C>) clock_ = std::addressof(clock);
  }

  [[nodiscard]] constexpr explicit operator bool() const noexcept { return read_ != nullptr; }
  [[nodiscard]] Tick now() const { return read_(clock_); }

  /// The same clock? False also for two copies of one clock.
  friend constexpr bool operator==(ClockRef, ClockRef) noexcept = default;

 private:
  template <class C>
  static Tick read(const void* clock) {
    if constexpr (std::is_empty_v<C> && std::is_default_constructible_v<C>) {
      return detail::fine_tick(C{});
    } else {
      return detail::fine_tick(*static_cast<const C*>(clock));
    }
  }

  const void* clock_ = nullptr;
  Tick (*read_)(const void*) = nullptr;
};

/// Can a Deadline keep this argument as its clock? Not a temporary, which would soon be gone.
template <class C>
inline constexpr bool outlives_call =
    std::is_lvalue_reference_v<C> ||
    (std::is_empty_v<std::remove_cvref_t<C>> && std::is_default_constructible_v<std::remove_cvref_t<C>>);

}  // namespace detail

/// A point on a clock's steady timeline by which something must be done, or never. A value: copy it freely.
///
/// One that after() or at() made with a clock, or that a policy made, knows that clock: remaining() and
/// expired() read it (T6). It refers to the clock and does not keep it alive: do not ask it once the clock,
/// or the policy that made it, is gone. For SystemClock there is nothing that could be gone.
class Deadline {
 public:
  /// Never.
  constexpr Deadline() noexcept = default;
  /// A point on the timeline of whichever clock it is compared with.
  constexpr explicit Deadline(std::chrono::steady_clock::time_point time) noexcept : time_{time} {}

  [[nodiscard]] static constexpr Deadline never() noexcept { return {}; }
  [[nodiscard]] static constexpr Deadline at(std::chrono::steady_clock::time_point time) noexcept {
    return Deadline{time};
  }
  /// A point on the timeline of `clock`, which must outlive it.
  template <class C>
  [[nodiscard]] static Deadline at(std::chrono::steady_clock::time_point time, C&& clock) noexcept {
    static_assert(TimeSource<std::remove_cvref_t<C>>, "fusebox: Deadline::at takes a TimeSource");
    check_lifetime<C>();
    return Deadline{time, detail::ClockRef{clock}};
  }

  /// `timeout` from now on, by `clock`, which must outlive it; never for `no_timeout` and for a timeout
  /// beyond the timeline.
  template <class C>
  [[nodiscard]] static Deadline after(std::chrono::nanoseconds timeout, C&& clock) {
    static_assert(TimeSource<std::remove_cvref_t<C>>, "fusebox: Deadline::after takes a TimeSource");
    check_lifetime<C>();
    if (timeout == no_timeout) return never();
    const detail::Tick end = detail::saturating_add(detail::fine_tick(clock), detail::ticks(timeout));
    return at(std::chrono::steady_clock::time_point{std::chrono::nanoseconds{end}}, clock);
  }
  [[nodiscard]] static Deadline after(std::chrono::nanoseconds timeout) {
    return after(timeout, SystemClock{});
  }

  [[nodiscard]] constexpr bool is_never() const noexcept { return time_ == end_of_time; }
  [[nodiscard]] constexpr std::chrono::steady_clock::time_point time() const noexcept { return time_; }

  /// The time left: 0 once it has passed, `no_timeout` for never (T5). By the clock that it knows, if any,
  /// else by SystemClock (T6).
  [[nodiscard]] std::chrono::nanoseconds remaining() const {
    if (is_never()) return no_timeout;
    return left(clock_ ? clock_.now() : detail::fine_tick(SystemClock{}));
  }
  /// The time left by another clock.
  template <class C>
  [[nodiscard]] std::chrono::nanoseconds remaining(const C& clock) const {
    static_assert(TimeSource<C>, "fusebox: Deadline::remaining takes a TimeSource");
    if (is_never()) return no_timeout;
    return left(detail::fine_tick(clock));
  }

  /// Is no time left?
  [[nodiscard]] bool expired() const { return remaining() == std::chrono::nanoseconds::zero(); }
  template <class C>
  [[nodiscard]] bool expired(const C& clock) const {
    return remaining(clock) == std::chrono::nanoseconds::zero();
  }

  /// Compares the times alone: clocks share one type of timeline.
  friend constexpr bool operator==(const Deadline& a, const Deadline& b) noexcept {
    return a.time_ == b.time_;
  }

 private:
  friend struct detail::DeadlineOf;

  Deadline(std::chrono::steady_clock::time_point time, detail::ClockRef clock) noexcept
      : time_{time}, clock_{clock} {}

  template <class C>
  static constexpr void check_lifetime() noexcept {
    static_assert(!TimeSource<std::remove_cvref_t<C>> || detail::outlives_call<C>,
                  "fusebox: a Deadline refers to its clock: pass one that outlives it, not a temporary");
  }

  [[nodiscard]] std::chrono::nanoseconds left(detail::Tick now) const noexcept {
    return std::chrono::nanoseconds{detail::elapsed(now, detail::ticks(time_))};
  }

  static constexpr auto end_of_time = std::chrono::steady_clock::time_point::max();
  std::chrono::steady_clock::time_point time_ = end_of_time;
  detail::ClockRef clock_;
};

/// The earlier of two deadlines, compared as points of one timeline; the first if they are equal. It keeps
/// its clock.
[[nodiscard]] constexpr Deadline earliest(const Deadline& a, const Deadline& b) noexcept {
  return b.time() < a.time() ? b : a;
}

namespace detail {

/// What policies ask of a Deadline beside its public members.
struct DeadlineOf {
  /// The same deadline on the timeline of `clock`. One that knows another clock is moved by what it has left.
  [[nodiscard]] static Deadline moved_to(const Deadline& deadline, ClockRef clock) {
    if (deadline.is_never()) return deadline;
    if (!deadline.clock_ || deadline.clock_ == clock) return {deadline.time_, clock};
    return after(deadline.remaining(), clock);
  }

  /// tick_max is never.
  [[nodiscard]] static Deadline at(Tick end, ClockRef clock) noexcept {
    return {SteadyTime{std::chrono::nanoseconds{end}}, clock};
  }

  /// As Deadline::after.
  [[nodiscard]] static Deadline after(std::chrono::nanoseconds timeout, ClockRef clock) {
    if (timeout == no_timeout) return Deadline::never();
    return at(saturating_add(clock.now(), ticks(timeout)), clock);
  }
};

}  // namespace detail

static_assert(Clock<SystemClock>);

FUSEBOX_END_NAMESPACE

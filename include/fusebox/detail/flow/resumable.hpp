// fusebox/detail/flow/resumable.hpp: the resumable driver: the same frames, driven step by step.
//
// One object, whatever the number of layers. Frames lie in storage of their own, are made on the way in and
// destroyed on the way out. A level says which frame is next, so that retries do not recurse.
#pragma once
// IWYU pragma: private

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <fusebox/call.hpp>
#include <fusebox/detail/flow/drive.hpp>
#include <fusebox/detail/flow/inside.hpp>
#include <fusebox/detail/flow/layer.hpp>
#include <fusebox/detail/flow/observed.hpp>
#include <fusebox/detail/flow/slot.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// What a driver does next.
enum class Todo : unsigned char { call, wait, fall_back, done };

/// Storage whose object is made and destroyed by hand.
template <class T>
union ByHand {
  ByHand() noexcept {}  // NOLINT(*-use-equals-default)
  ByHand(const ByHand&) = delete;
  ByHand& operator=(const ByHand&) = delete;
  ~ByHand() {}  // NOLINT(*-use-equals-default)
  T value;
};

/// Who drives a StepwiseFlow: a loop, a coroutine, which can await what a fallback returns, or one that can
/// also cancel what op returned (A14).
enum class Driver : unsigned char { loop, coroutine, cancelling_coroutine };

/// Runs a call through the parts. The owner calls op when told to, waits when told to, and reports. If a
/// frame throws (a hook, a clock), destroy the object: the frames that are left give back what they hold.
template <Takes what, Driver driver, class Slot, class... Parts>
class StepwiseFlow {
  using F = Flow<what, Parts...>;
  /// How many frames there are. What is inside a policy that is_parallel has none here: its copies are flows
  /// of their own.
  static constexpr std::size_t size = [] {
    std::size_t count = 0;
    bool is_inside = false;
    ((count += is_inside ? 0U : 1U, is_inside = is_inside || is_parallel<Parts>), ...);
    return count;
  }();
  template <std::size_t i>
  using Frame =
      typename FrameFor<typename F::template Part<i>,
                        FlowContext<what, F::template is_watched<i>(), false, driver != Driver::loop,
                                    driver == Driver::cancelling_coroutine, F::is_in_copy>>::type;
  template <std::size_t i>
  using Side = typename SideOf<LayerOf<typename F::template Part<i>>>::type;

  template <class Indices>
  struct Storage;
  template <std::size_t... i>
  struct Storage<std::index_sequence<i...>> {
    std::tuple<ByHand<Side<i>>...> sides;
    std::tuple<ByHand<Frame<i>>...> frames;
  };

 public:
  /// All three must outlive the object.
  StepwiseFlow(typename F::Tuple& parts, Slot& slot, const Call& root) noexcept
      : parts_{parts}, slot_{slot}, root_{root} {}
  StepwiseFlow(const StepwiseFlow&) = delete;
  StepwiseFlow& operator=(const StepwiseFlow&) = delete;
  ~StepwiseFlow() {
    while (built_ > 0) destroy_innermost();
  }

  [[nodiscard]] FUSEBOX_DETAIL_INLINE Todo next() {
    for (;;) {
      if (mode_ == Mode::enter) {
        do {
          if (built_ == size) return Todo::call;
        } while (enter());
      }
      if (mode_ != Mode::leave) return mode_ == Mode::wait ? Todo::wait : Todo::fall_back;
      do {
        if (built_ == 0) return Todo::done;
      } while (leave());
    }
  }

  /// What op gets. Only after next() has given Todo::call.
  [[nodiscard]] const Call& call() {
    if constexpr (size == 0) {
      return root_;
    } else {
      return frame<size - 1>().call();
    }
  }
  [[nodiscard]] bool expects_report() const noexcept { return mode_ == Mode::enter && built_ == size; }
  /// op has ended; the slot says how.
  void report(Verdict verdict) noexcept {
    verdict_ = verdict;
    mode_ = Mode::leave;
  }
  /// The call ends before its first step.
  void end(Verdict verdict) noexcept { report(verdict); }

  [[nodiscard]] bool waits() const noexcept { return mode_ == Mode::wait; }
  /// How long to wait, at most. Only after next() has given Todo::wait.
  [[nodiscard]] std::chrono::nanoseconds wait_time() {
    std::chrono::nanoseconds time{};
    at(built_ - 1, [&](auto i) {
      if constexpr (Waits<Frame<i>>) time = frame<i>().wait_time();
    });
    return time;
  }
  /// Ends the wait early.
  [[nodiscard]] StopToken wait_token() {
    StopToken token;
    at(built_ - 1, [&](auto i) {
      if constexpr (Waits<Frame<i>>) token = frame<i>().wait_token();
    });
    return token;
  }
  /// Is the wait over before its time? Only after next() has given Todo::wait.
  [[nodiscard]] bool wait_is_over() {
    bool is_over = false;
    at(built_ - 1, [&](auto i) {
      if constexpr (EndsWaits<Frame<i>>) {
        is_over = frame<i>().wait_is_over();
      } else if constexpr (Waits<Frame<i>>) {
        is_over = frame<i>().wait_token().stop_requested();
      }
    });
    return is_over;
  }
  void waited(bool to_its_end) {
    at(built_ - 1, [&](auto i) {
      if constexpr (Waits<Frame<i>>) verdict_ = frame<i>().waited(to_its_end, slot_.base());
    });
    if (verdict_ == Verdict::success) {
      go_in();
    } else {
      destroy_innermost();
      mode_ = Mode::leave;
    }
  }

  /// The clock of the policy that waits. Only after next() has given Todo::wait.
  template <class C>
  [[nodiscard]] const C& wait_clock() {
    const C* clock = nullptr;
    at(built_ - 1, [&](auto i) {
      if constexpr (Waits<Frame<i>>) clock = std::addressof(F::template policy<i>(parts_).clock());
    });
    return *clock;
  }
  /// Is what it waits for given by another call, which must not be held up (A14)?
  [[nodiscard]] bool waits_in_queue() {
    bool in_queue = false;
    at(built_ - 1, [&](auto i) {
      if constexpr (Waits<Frame<i>>) in_queue = queues<typename F::template Part<i>>;
    });
    return in_queue;
  }

  /// use(fallback) of the policy that falls back, and gives back what it returns, an R. Only after next() has
  /// given Todo::fall_back.
  template <class R, std::size_t i = 0, class Use>
  [[nodiscard]] R fall_back(Use use) {
    constexpr bool is_last = !falls_back_inside<i>();
    if constexpr (FallsBackLater<Frame<i>>) {
      if (is_last || built_ - 1 == i) return use(frame<i>().fallback());
    }
    if constexpr (!is_last) return fall_back<R, i + 1>(use);
  }
  /// It has; the slot has its value, or says why there is none.
  void fell_back(Verdict verdict) noexcept {
    verdict_ = verdict;
    destroy_innermost();
    mode_ = Mode::leave;
  }

  [[nodiscard]] Verdict verdict() const noexcept { return verdict_; }

  /// Does Todo::call mean: run the copies of what is inside a policy?
  static constexpr bool runs_copies = (false || ... || is_parallel<Parts>);
  using Innermost = PolicyOf<std::tuple_element_t<(size == 0 ? 0 : size - 1), std::tuple<Parts..., NoSide>>>;
  using Inside = detail::Inside<F::template is_watched<size>(), size, typename F::Tuple>;
  /// That policy, and what is inside it.
  [[nodiscard]] auto& innermost() noexcept { return F::template policy<size - 1>(parts_); }
  [[nodiscard]] typename Inside::type inside() { return Inside::of(parts_); }

  /// Can next() give Todo::wait, and Todo::fall_back?
  static constexpr bool may_wait = []<std::size_t... i>(std::index_sequence<i...>) {
    return (false || ... || Waits<Frame<i>>);
  }(std::make_index_sequence<size>{});
  static constexpr bool may_fall_back = []<std::size_t... i>(std::index_sequence<i...>) {
    return (false || ... || FallsBackLater<Frame<i>>);
  }(std::make_index_sequence<size>{});

  /// The type of the clock of the first policy that may wait.
  template <std::size_t i = 0>
  [[nodiscard]] static consteval auto clock_of_waits() noexcept {
    if constexpr (Waits<Frame<i>>) {
      return std::type_identity<typename ClockOf<PolicyOf<typename F::template Part<i>>>::type>{};
    } else {
      return clock_of_waits<i + 1>();
    }
  }

 private:
  enum class Mode : unsigned char { enter, leave, wait, fall_back };

  /// Does a policy inside the i-th fall back later?
  template <std::size_t i>
  [[nodiscard]] static consteval bool falls_back_inside() noexcept {
    if constexpr (i + 1 < size) {
      return FallsBackLater<Frame<i + 1>> || falls_back_inside<i + 1>();
    } else {
      return false;
    }
  }

  template <std::size_t i>
  [[nodiscard]] Frame<i>& frame() noexcept {
    return std::get<i>(storage_.frames).value;
  }

  /// Calls use with the level, less than size, as a constant.
  template <std::size_t i = 0, class Use>
  FUSEBOX_DETAIL_INLINE static void at(std::size_t level, Use use) {
    if constexpr (i + 1 < size) {
      if (level != i) return at<i + 1>(level, use);
    }
    if constexpr (i < size) use(std::integral_constant<std::size_t, i>{});
  }

  /// Makes the next frame. True: go further in.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE bool enter() {
    at(built_, [this](auto i) { verdict_ = build<i>(); });
    if (verdict_ == Verdict::success) [[likely]]
      return true;
    if (verdict_ == Verdict::waiting) {
      mode_ = Mode::wait;
    } else {
      destroy_innermost();
      mode_ = Mode::leave;
    }
    return false;
  }
  template <std::size_t i>
  [[nodiscard]] FUSEBOX_DETAIL_INLINE Verdict build() {
    const Call* outer = &root_;
    if constexpr (i > 0) outer = &frame<i - 1>().call();
    // Default-initialised: nothing is written for an empty one.
    Side<i>* const side = ::new (static_cast<void*>(&std::get<i>(storage_.sides).value)) Side<i>;
    FUSEBOX_DETAIL_TRY {
      ::new (static_cast<void*>(&std::get<i>(storage_.frames).value))
          Frame<i>{F::template policy<i>(parts_), *outer, *side};
    }
    FUSEBOX_DETAIL_CATCH_ALL {
      std::destroy_at(side);
      FUSEBOX_DETAIL_RETHROW;
    }
    built_ = i + 1;
    return frame<i>().enter(slot_.base());
  }

  /// Leaves the innermost frame. True: go further out.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE bool leave() {
    bool again = false;
    Mode mode = Mode::enter;
    at(built_ - 1, [&](auto i) {
      again = frame<i>().again(verdict_, slot_);
      if constexpr (Waits<Frame<i>>) mode = Mode::wait;
      if constexpr (FallsBackLater<Frame<i>>) mode = Mode::fall_back;
    });
    if (!again) [[likely]] {
      destroy_innermost();
      return true;
    }
    if (mode == Mode::enter) {
      go_in();
    } else {
      mode_ = mode;
    }
    return false;
  }
  /// Once more from the innermost frame on.
  FUSEBOX_DETAIL_INLINE void go_in() noexcept {
    slot_.drop_value();
    slot_.base().clear_failure();
    mode_ = Mode::enter;
  }

  FUSEBOX_DETAIL_INLINE void destroy_innermost() noexcept {
    --built_;
    at(built_, [this](auto i) {
      std::destroy_at(&frame<i>());
      std::destroy_at(&std::get<i>(storage_.sides).value);
    });
  }

  typename F::Tuple& parts_;
  Slot& slot_;
  const Call& root_;
  Storage<std::make_index_sequence<size>> storage_;
  std::uint32_t built_ = 0;  // frames; the next one to make, except in a wait
  Verdict verdict_ = Verdict::success;
  Mode mode_ = Mode::enter;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

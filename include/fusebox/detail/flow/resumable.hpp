// fusebox/detail/flow/resumable.hpp: the resumable driver: the same frames, driven step by step.
//
// One object, whatever the number of layers. Frames lie in storage of their own, are made on the way in and
// destroyed on the way out. A level says which frame is next, so that retries do not recurse.
#pragma once
// IWYU pragma: private

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <fusebox/call.hpp>
#include <fusebox/detail/flow/drive.hpp>
#include <fusebox/detail/flow/layer.hpp>
#include <fusebox/detail/flow/observed.hpp>
#include <fusebox/detail/flow/slot.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// What a driver does next.
enum class Todo : unsigned char { call, wait, done };

/// Storage whose object is made and destroyed by hand.
template <class T>
union ByHand {
  ByHand() noexcept {}  // NOLINT(*-use-equals-default)
  ByHand(const ByHand&) = delete;
  ByHand& operator=(const ByHand&) = delete;
  ~ByHand() {}  // NOLINT(*-use-equals-default)
  T value;
};

/// Runs a call through the parts. The owner calls op when told to, waits when told to, and reports. If a
/// frame throws (a hook, a clock), destroy the object: the frames that are left give back what they hold.
template <class Slot, class... Parts>
class StepwiseFlow {
  using F = Flow<Takes::call, Parts...>;
  static constexpr std::size_t size = F::size;
  template <std::size_t i>
  using Frame = typename FrameFor<typename F::template Part<i>,
                                  FlowContext<Takes::call, F::template is_watched<i>(), false>>::type;
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

  [[nodiscard]] Todo next() {
    for (;;) {
      switch (mode_) {
        case Mode::enter:
          if (level_ == size) return Todo::call;
          enter();
          break;
        case Mode::leave:
          if (built_ == 0) return Todo::done;
          leave();
          break;
        case Mode::wait: return Todo::wait;
      }
    }
  }

  /// What op gets. Only after next() has given Todo::call.
  [[nodiscard]] const Call& call() {
    const Call* call = &root_;
    if (built_ > 0) at(built_ - 1, [&](auto i) { call = &frame<i>().call(); });
    return *call;
  }
  [[nodiscard]] bool expects_report() const noexcept { return mode_ == Mode::enter && level_ == size; }
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

  [[nodiscard]] Verdict verdict() const noexcept { return verdict_; }

 private:
  enum class Mode : unsigned char { enter, leave, wait };

  template <std::size_t i>
  [[nodiscard]] Frame<i>& frame() noexcept {
    return std::get<i>(storage_.frames).value;
  }

  /// Calls use with the level as a constant.
  template <std::size_t i = 0, class Use>
  FUSEBOX_DETAIL_INLINE static void at(std::size_t level, Use use) {
    if constexpr (i < size) {
      if (level == i) return use(std::integral_constant<std::size_t, i>{});
      at<i + 1>(level, use);
    }
  }

  void enter() {
    at(level_, [this](auto i) { verdict_ = build<i>(); });
    if (verdict_ == Verdict::success) {
      ++level_;
    } else if (verdict_ == Verdict::waiting) {
      mode_ = Mode::wait;
    } else {
      destroy_innermost();
      mode_ = Mode::leave;
    }
  }
  template <std::size_t i>
  [[nodiscard]] Verdict build() {
    const Call* outer = &root_;
    if constexpr (i > 0) outer = &frame<i - 1>().call();
    Side<i>* const side = std::construct_at(&std::get<i>(storage_.sides).value);
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

  void leave() {
    bool again = false;
    bool waits = false;
    at(built_ - 1, [&](auto i) {
      again = frame<i>().again(verdict_, slot_);
      waits = Waits<Frame<i>>;
    });
    if (!again) return destroy_innermost();
    if (waits) {
      mode_ = Mode::wait;
    } else {
      go_in();
    }
  }
  /// Once more from the innermost frame on.
  void go_in() noexcept {
    slot_.drop_value();
    slot_.base().clear_failure();
    level_ = built_;
    mode_ = Mode::enter;
  }

  void destroy_innermost() noexcept {
    --built_;
    level_ = built_;
    at(built_, [this](auto i) {
      std::destroy_at(&frame<i>());
      std::destroy_at(&std::get<i>(storage_.sides).value);
    });
  }

  typename F::Tuple& parts_;
  Slot& slot_;
  const Call& root_;
  Storage<std::make_index_sequence<size>> storage_;
  std::size_t level_ = 0;  // of the frame that is entered next
  std::size_t built_ = 0;
  Verdict verdict_ = Verdict::success;
  Mode mode_ = Mode::enter;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

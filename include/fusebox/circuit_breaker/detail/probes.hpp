// fusebox/circuit_breaker/detail/probes.hpp: the probes of a half-open breaker.
//
// ProbeSlots      who may probe: half_open_max_calls slots, each with the time at which it may be taken over
// RunningProbes   which ops of probes run now, by the frames of their calls: a call on the same breaker from
//                 inside such an op is part of the probe (B7)
//
// Both are used under the breaker's lock and take the same time however many slots there are (B5).
#pragma once
// IWYU pragma: private, include <fusebox/circuit_breaker.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <fusebox/detail/call_stack.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/detail/ticks.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Slots that are taken form a list in the order in which they were taken, which is that of their due times:
/// every probe may be silent for the same time.
class ProbeSlots {
 public:
  ProbeSlots(int slots, Tick timeout)
      : slots_{std::make_unique<Slot[]>(static_cast<std::size_t>(slots))},
        timeout_{timeout},
        count_{static_cast<std::uint32_t>(slots)} {}

  void free_all() noexcept { *this = ProbeSlots{std::move(slots_), timeout_, count_}; }

  /// Takes a free slot, or the slot of the probe that has been silent longest if its time is over (B5).
  /// `now` is on the clock of the waits, `start` on the fine one.
  [[nodiscard]] std::optional<std::uint32_t> take(Tick now, Tick start) noexcept {
    std::uint32_t index = first_free_;
    if (index != none) {
      first_free_ = slots_[index].next;
      ++taken_;
    } else if (touched_ < count_) {
      index = touched_++;
      ++taken_;
    } else if (slots_[oldest_].silent_until <= now) {
      index = oldest_;
      unlink(index);
    } else {
      return std::nullopt;
    }
    const Tick due = saturating_add(now, timeout_);
    // The clock of the waits may have gone back: the order of the list must be that of the due times.
    const Tick latest = newest_ == none ? due : slots_[newest_].silent_until;
    slots_[index] = {newest_, none, due < latest ? latest : due, start, true};
    (newest_ == none ? oldest_ : slots_[newest_].next) = index;
    newest_ = index;
    return index;
  }

  /// Frees the slot of the probe that began at `start`; false if another probe has taken it since.
  bool free(std::uint32_t index, Tick start) noexcept {
    Slot& slot = slots_[index];
    if (index >= touched_ || !slot.is_taken || slot.start != start) return false;
    unlink(index);
    --taken_;
    slot.is_taken = false;
    slot.next = first_free_;
    first_free_ = index;
    return true;
  }

  [[nodiscard]] std::uint32_t taken() const noexcept { return taken_; }

  /// Moves the due times of the taken slots to another timeline.
  void shift(Tick by) noexcept {
    for (std::uint32_t i = 0; i < touched_; ++i)
      slots_[i].silent_until = saturating_add(slots_[i].silent_until, by);
  }

  /// When the next call may take a slot: tick_min if one is free.
  [[nodiscard]] Tick next_due() const noexcept {
    return first_free_ != none || touched_ < count_ ? tick_min : slots_[oldest_].silent_until;
  }

 private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  struct Slot {
    std::uint32_t previous = none;  // in the list of the taken ones, from the oldest
    std::uint32_t next = none;      // there, or among those that were freed
    Tick silent_until = 0;
    Tick start = 0;
    bool is_taken = false;
  };

  ProbeSlots(std::unique_ptr<Slot[]> slots, Tick timeout, std::uint32_t count) noexcept
      : slots_{std::move(slots)}, timeout_{timeout}, count_{count} {}

  void unlink(std::uint32_t index) noexcept {
    const Slot& slot = slots_[index];
    (slot.previous == none ? oldest_ : slots_[slot.previous].next) = slot.next;
    (slot.next == none ? newest_ : slots_[slot.next].previous) = slot.previous;
  }

  std::unique_ptr<Slot[]> slots_;
  Tick timeout_;
  std::uint32_t count_;
  std::uint32_t taken_ = 0;
  std::uint32_t touched_ = 0;  // the slots from here on have not been used in this generation
  std::uint32_t first_free_ = none;
  std::uint32_t oldest_ = none;
  std::uint32_t newest_ = none;
};

/// The frames lie in the breaker, not in a list through the stacks: a fiber whose stack is gone leaves only
/// an entry, which ends with the half-open generation.
template <class Sync>
class RunningProbes {
 public:
  using Index = std::uint32_t;
  static constexpr Index none = ~Index{0};

  /// The op of a probe begins to run, called from `frame`, in the present generation. Without memory for it,
  /// calls from inside the op are ordinary ones.
  [[nodiscard]] Index begin(std::uint32_t generation, const void* frame) noexcept {
    forget_older(generation);
    Index index = first_unused_;
    if (index != none) {
      first_unused_ = calls_[index].next;
    } else {
      FUSEBOX_DETAIL_TRY { calls_.emplace_back(); }
      FUSEBOX_DETAIL_CATCH_ALL { return none; }
      index = static_cast<Index>(calls_.size() - 1);
    }
    calls_[index] = {frame, none};
    running_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a call from inside the op follows it anyway
    return index;
  }

  /// It has ended, or the probe is settled.
  void end(std::uint32_t generation, Index index) noexcept {
    if (generation != generation_ || index == none) return;
    calls_[index] = {nullptr, std::exchange(first_unused_, index)};
    running_.fetch_sub(1, std::memory_order_relaxed);
  }

  /// May be asked without the lock: false if contains_caller() surely is.
  [[nodiscard]] bool may_contain_caller() const noexcept {
    return running_.load(std::memory_order_relaxed) > 0;
  }

  /// Is this code called by the op of a probe of this generation?
  [[nodiscard]] bool contains_caller(std::uint32_t generation) const noexcept {
    if (generation != generation_) return false;
    const void* const position = stack_position();
    if (!any_frame([=](const void* frame) { return may_be_caller(frame, position); })) return false;
    return is_any_caller([this](std::uintptr_t begin, std::uintptr_t end) {
      return any_frame([=](const void* frame) { return lies_between(frame, begin, end); });
    });
  }

 private:
  struct Call {
    const void* frame = nullptr;
    Index next = none;  // unused one
  };

  template <class Predicate>
  [[nodiscard]] bool any_frame(Predicate predicate) const noexcept {
    for (const Call& call : calls_) {
      if (predicate(call.frame)) return true;
    }
    return false;
  }

  void forget_older(std::uint32_t generation) noexcept {
    if (generation == generation_) return;
    generation_ = generation;
    calls_.clear();
    first_unused_ = none;
    running_.store(0, std::memory_order_relaxed);
  }

  std::uint32_t generation_ = 0;
  Index first_unused_ = none;
  std::vector<Call> calls_;
  typename Sync::template Atomic<int> running_{0};
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

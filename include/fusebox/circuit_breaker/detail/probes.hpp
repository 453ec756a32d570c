// fusebox/circuit_breaker/detail/probes.hpp: the probes of a half-open period: their slots, and calls nested
// in them.
//
// ProbeSlots is used under the breaker's lock. ProbeFrame marks, on its thread, that the op of a probe
// is running, so that a call of the same breaker inside it is part of the probe (B7); once the probe is
// settled, what still runs inside the frame is no part of it. ProbeScope is room for one on the stack of a
// call that may turn out to be a probe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <fusebox/detail/ticks.hpp>
#include <fusebox/permit.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail {

class ProbeSlots {
 public:
  ProbeSlots(int slots, Tick timeout)
      : slots_{std::make_unique<Slot[]>(static_cast<std::size_t>(slots))},
        timeout_{timeout},
        count_{static_cast<std::uint32_t>(slots)} {}

  void clear() noexcept {
    for (Slot& slot : *this) slot.held = false;
  }

  /// A free slot, or that of the probe which has been silent longest, once its time is over (B5).
  /// `now` is on the clock of the waits, `start` on the fine one.
  [[nodiscard]] std::optional<std::uint32_t> take(Tick now, Tick start) noexcept {
    Slot* best = nullptr;
    for (Slot& slot : *this) {
      if (best == nullptr || slot.due() < best->due()) best = &slot;
    }
    if (best->due() > now) return std::nullopt;
    *best = {true, saturating_add(now, timeout_), start};
    return static_cast<std::uint32_t>(best - begin());
  }

  /// Gives a slot back, unless another probe has it by now. True where it was still this probe's.
  bool give_back(std::uint32_t index, Tick start) noexcept {
    Slot& slot = slots_[index];
    if (!slot.held || slot.start != start) return false;
    slot.held = false;
    return true;
  }

  /// When the next call may have a slot: tick_min for now.
  [[nodiscard]] Tick next_due() const noexcept {
    Tick next = tick_max;
    for (const Slot& slot : *this) next = slot.due() < next ? slot.due() : next;
    return next;
  }

 private:
  struct Slot {
    bool held = false;
    Tick silent_until = 0;
    Tick start = 0;
    [[nodiscard]] Tick due() const noexcept { return held ? silent_until : tick_min; }
  };

  [[nodiscard]] Slot* begin() const noexcept { return slots_.get(); }
  [[nodiscard]] Slot* end() const noexcept { return begin() + count_; }

  std::unique_ptr<Slot[]> slots_;
  Tick timeout_;
  std::uint32_t count_;
};

class FUSEBOX_API ProbeFrame {
 public:
  ProbeFrame(const void* breaker, Ticket probe) noexcept
      : breaker_{breaker}, probe_{probe}, outer_{innermost} {
    innermost = this;
  }
  ProbeFrame(const ProbeFrame&) = delete;
  ProbeFrame& operator=(const ProbeFrame&) = delete;
  ~ProbeFrame() { innermost = outer_; }

  /// Is the op of a probe of this period running on this thread?
  [[nodiscard]] static bool is_running(const void* breaker, std::uint32_t generation) noexcept {
    for (const ProbeFrame* frame = innermost; frame != nullptr; frame = frame->outer_) {
      if (frame->breaker_ == breaker && frame->probe_.word.generation() == generation) return true;
    }
    return false;
  }

  /// The probe is settled: its frame, where it is one of this thread's, counts no more.
  static void end(const void* breaker, Ticket probe) noexcept {
    for (ProbeFrame* frame = innermost; frame != nullptr; frame = frame->outer_) {
      if (frame->breaker_ == breaker && frame->probe_ == probe) frame->breaker_ = nullptr;
    }
  }

 private:
  static inline constinit thread_local ProbeFrame* innermost = nullptr;
  const void* breaker_;
  Ticket probe_;
  ProbeFrame* outer_;
};

/// What a call needs only while it is a probe. Costs nothing until enter(); leave() once after it.
class ProbeScope {
 public:
  ProbeScope() noexcept {}  // NOLINT(*-use-equals-default)
  ProbeScope(const ProbeScope&) = delete;
  ProbeScope& operator=(const ProbeScope&) = delete;
  ~ProbeScope() {}  // NOLINT(*-use-equals-default)

  /// `keep_alive` is released by leave().
  void enter(const void* breaker, Ticket probe, std::shared_ptr<void> keep_alive) noexcept {
    std::construct_at(&inside, breaker, probe, std::move(keep_alive));
  }
  void leave() noexcept { std::destroy_at(&inside); }

 private:
  struct Inside {
    Inside(const void* breaker, Ticket probe, std::shared_ptr<void> kept) noexcept
        : keep_alive{std::move(kept)}, frame{breaker, probe} {}
    std::shared_ptr<void> keep_alive;
    ProbeFrame frame;
  };
  union {
    Inside inside;
  };
};

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail

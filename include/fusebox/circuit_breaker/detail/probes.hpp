// fusebox/circuit_breaker/detail/probes.hpp: the probes of a half-open breaker.
//
// ProbeSlots     who may probe: half_open_max_calls slots; used under the breaker's lock
// ProbeFrame     marks, on its thread, that the op of a probe is running: a call on the same breaker from
//                inside that op is part of the probe (B7) until the probe is settled
// ProbeStorage   uninitialised room for a ProbeFrame on the stack of a call, which may turn out a probe
#pragma once
// IWYU pragma: private, include <fusebox/circuit_breaker.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <fusebox/circuit_breaker/detail/state_word.hpp>
#include <fusebox/detail/admission.hpp>
#include <fusebox/detail/ticks.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

class ProbeSlots {
 public:
  ProbeSlots(int slots, Tick timeout)
      : slots_{std::make_unique<Slot[]>(static_cast<std::size_t>(slots))},
        timeout_{timeout},
        count_{static_cast<std::uint32_t>(slots)} {}

  void free_all() noexcept {
    for (Slot& slot : *this) slot.is_taken = false;
  }

  /// Takes a free slot, or the slot of the probe that has been silent longest if its time is over (B5).
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

  /// Frees the slot of the probe that began at `start`; false if another probe has taken it since.
  bool free(std::uint32_t index, Tick start) noexcept {
    Slot& slot = slots_[index];
    if (!slot.is_taken || slot.start != start) return false;
    slot.is_taken = false;
    return true;
  }

  /// When the next call may take a slot: tick_min if one is free.
  [[nodiscard]] Tick next_due() const noexcept {
    Tick next = tick_max;
    for (const Slot& slot : *this) next = slot.due() < next ? slot.due() : next;
    return next;
  }

 private:
  struct Slot {
    bool is_taken = false;
    Tick silent_until = 0;
    Tick start = 0;
    [[nodiscard]] Tick due() const noexcept { return is_taken ? silent_until : tick_min; }
  };

  [[nodiscard]] Slot* begin() const noexcept { return slots_.get(); }
  [[nodiscard]] Slot* end() const noexcept { return begin() + count_; }

  std::unique_ptr<Slot[]> slots_;
  Tick timeout_;
  std::uint32_t count_;
};

class FUSEBOX_API ProbeFrame {
 public:
  /// `keep_alive` is released last.
  ProbeFrame(const void* breaker, Admission probe, std::shared_ptr<void> keep_alive) noexcept
      : keep_alive_{std::move(keep_alive)}, breaker_{breaker}, probe_{probe}, outer_{innermost} {
    innermost = this;
  }
  ProbeFrame(const ProbeFrame&) = delete;
  ProbeFrame& operator=(const ProbeFrame&) = delete;
  ~ProbeFrame() { innermost = outer_; }

  /// Does the op of a probe of this generation run on this thread?
  [[nodiscard]] static bool is_running(const void* breaker, std::uint32_t generation) noexcept {
    for (const ProbeFrame* frame = innermost; frame != nullptr; frame = frame->outer_) {
      if (frame->breaker_ == breaker && StateWord{frame->probe_}.generation() == generation) return true;
    }
    return false;
  }

  /// The probe is settled: calls that its op still makes are no part of it.
  static void end(const void* breaker, Admission probe) noexcept {
    for (ProbeFrame* frame = innermost; frame != nullptr; frame = frame->outer_) {
      if (frame->breaker_ == breaker && frame->probe_ == probe) frame->breaker_ = nullptr;
    }
  }

 private:
  static inline constinit thread_local ProbeFrame* innermost = nullptr;
  std::shared_ptr<void> keep_alive_;
  const void* breaker_;
  Admission probe_;
  ProbeFrame* outer_;
};

/// A std::optional<ProbeFrame> without the flag, which would cost every call a write: the admission already
/// says whether the call is a probe.
class ProbeStorage {
 public:
  ProbeStorage() noexcept {}  // NOLINT(*-use-equals-default)
  ProbeStorage(const ProbeStorage&) = delete;
  ProbeStorage& operator=(const ProbeStorage&) = delete;
  ~ProbeStorage() {}  // NOLINT(*-use-equals-default)

  void begin_frame(const void* breaker, Admission probe, std::shared_ptr<void> keep_alive) noexcept {
    std::construct_at(&frame, breaker, probe, std::move(keep_alive));
  }
  /// Call it once after begin_frame().
  void end_frame() noexcept { std::destroy_at(&frame); }

 private:
  union {
    ProbeFrame frame;
  };
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

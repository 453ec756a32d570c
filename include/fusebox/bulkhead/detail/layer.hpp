// fusebox/bulkhead/detail/layer.hpp: a bulkhead as a layer of the flow of a call.
#pragma once
// IWYU pragma: private, include <fusebox/bulkhead.hpp>

#include <string>

#include <fusebox/bulkhead/detail/core.hpp>
#include <fusebox/call.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/call_observers.hpp>
#include <fusebox/detail/flow/layer.hpp>
#include <fusebox/detail/slots/config.hpp>
#include <fusebox/detail/slots/frame.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class C>
struct Layer<Bulkhead<C>> {
  static constexpr bool is_layer = true;
  static constexpr bool watches_late = false;
  static constexpr bool queues = true;
  [[nodiscard]] static CallObservers& observers(Bulkhead<C>& bulkhead) noexcept {
    return bulkhead.observers_;
  }
  using Clock = C;

  template <class Explanation>
  static void explain(const Bulkhead<C>& bulkhead, Explanation& text) {
    std::string line =
        "admits " + std::to_string(bulkhead.stats().limit) + " at once, and holds a slot for each ";
    line.append(text.unit()).append(" until it has ended; ");
    explain_queue(bulkhead.core_.slot_config(), line, text);
    text.say("bulkhead", bulkhead.name(), line);
  }

  template <class Context>
  struct Frame : SlotFrame<typename BulkheadCore<C>::Slots> {
    FUSEBOX_DETAIL_INLINE Frame(Bulkhead<C>& bulkhead, const Call& call, NoSide& /*side*/) noexcept
        : SlotFrame<typename BulkheadCore<C>::Slots>{BulkheadAccess::core(bulkhead), call} {}
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;
    FUSEBOX_DETAIL_INLINE ~Frame() = default;  // out of line it would keep the frame in memory
  };
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

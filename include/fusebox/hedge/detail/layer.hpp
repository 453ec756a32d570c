// fusebox/hedge/detail/layer.hpp: a hedge as a layer of the flow of a call.
//
// The frame does next to nothing: what is inside runs in copies, which the layer's run() starts.
#pragma once
// IWYU pragma: private, include <fusebox/hedge.hpp>

#include <memory>
#include <type_traits>
#include <utility>

#include <fusebox/call.hpp>
#include <fusebox/detail/flow/inside.hpp>
#include <fusebox/detail/flow/layer.hpp>
#include <fusebox/detail/flow/operation.hpp>
#include <fusebox/detail/flow/slot.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Refuses at compile time an op that cannot run in copies.
template <class Given, class Value>
consteval void check_hedged_op() {
  using Op = std::decay_t<Given>;
  static_assert(std::is_copy_constructible_v<Op>,
                "fusebox: a hedge copies op, since a copy that lost may outlive the call, and this op cannot "
                "be copied: let it hold what it shares by std::shared_ptr");
  static_assert(
      takes<const Op> != Takes::no_way,
      "fusebox: a hedge runs op on several threads at once, so op must be callable as const: it may "
      "be no mutable lambda");
  static_assert(
      takes<const Op> == Takes::no_way || takes<const Op> == takes<Op>,
      "fusebox: a hedge runs op on several threads at once, so op must be callable as const with the "
      "same arguments");
  static_assert(std::is_void_v<Value> || std::is_reference_v<Value> || std::is_move_constructible_v<Value>,
                "fusebox: a hedge moves the value of the copy that won, and this one cannot be moved");
}

template <class Policy>
class HedgeFrame {
 public:
  HedgeFrame(Policy& policy, const Call& call, NoSide& /*side*/) noexcept : policy_{policy}, call_{call} {}
  HedgeFrame(const HedgeFrame&) = delete;
  HedgeFrame& operator=(const HedgeFrame&) = delete;

  Verdict enter(SlotBase& /*slot*/) {
    policy_.count_call();
    return Verdict::success;
  }
  [[nodiscard]] const Call& call() const noexcept { return call_; }
  template <class Slot>
  [[nodiscard]] static bool again(Verdict& /*verdict*/, Slot& /*slot*/) noexcept {
    return false;
  }

 private:
  Policy& policy_;
  const Call& call_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

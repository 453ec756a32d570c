// fusebox/detail/flow/inside.hpp: what is inside a policy that runs it several times at once, such as a
// hedge.
//
// A copy of a call that lost may run on after the call has ended, so it refers to nothing of the caller's
// stack. It has the policies inside as the pipeline holds them: references stay references, and handles keep
// what they point to alive. compose() holds by a handle what such a policy has inside it and owns.
//
// A policy that is_parallel has, in its specialisation of Layer, for each driver
//
//   run<Inside>(policy, inside, slot, call, op, rule)   gives the Verdict (blocking calls).
//   Inside::run<1>(inside,
//                                                       slot, call, op, rule) runs one copy
//   Tasks<Task, what, Slot, Inside, Op, Rule>           the copies of a call that a coroutine runs;
//   make_tasks()
//                                                       gives them
#pragma once
// IWYU pragma: private

#include <cstddef>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include <fusebox/call.hpp>
#include <fusebox/detail/flow/layer.hpp>
#include <fusebox/detail/flow/slot.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Stands for the policies outside, in front of those inside. `watches`: one of them tells a late success
/// from another (P6).
template <bool watches>
struct Outside {};
template <bool watches>
struct Layer<Outside<watches>> {
  static constexpr bool is_layer = true;
  static constexpr bool watches_late = watches;
  using Clock = void;

  /// For the resumable driver; the blocking one begins behind it.
  template <class Context>
  class Frame {
   public:
    Frame(Outside<watches>& /*policy*/, const Call& call, NoSide& /*side*/) noexcept : call_{call} {}
    [[nodiscard]] static Verdict enter(SlotBase& /*slot*/) noexcept { return Verdict::success; }
    [[nodiscard]] const Call& call() const noexcept { return call_; }
    template <class Slot>
    [[nodiscard]] static bool again(Verdict& /*verdict*/, Slot& /*slot*/) noexcept {
      return false;
    }

   private:
    const Call& call_;
  };
};

/// Are these the parts of one copy of a call?
template <class... Parts>
inline constexpr bool runs_in_copy = false;
template <bool watches, class... Parts>
inline constexpr bool runs_in_copy<Outside<watches>, Parts...> = true;

template <class Part>
inline constexpr bool outlives_caller = std::is_lvalue_reference_v<Part>;
template <class P>
inline constexpr bool outlives_caller<std::shared_ptr<P>> = true;
template <class Part>
inline constexpr bool outlives_caller<KeptAlive<Part>> = outlives_caller<Part>;

template <bool watches, std::size_t first, class Tuple, class Indices>
struct InsideOf;
template <bool watches, std::size_t first, class... Parts, std::size_t... i>
struct InsideOf<watches, first, std::tuple<Parts...>, std::index_sequence<i...>> {
  using Outer = std::tuple<Parts...>;
  using type = std::tuple<Outside<watches>, std::tuple_element_t<first + i, Outer>...>;
  static_assert(
      (... && outlives_caller<std::tuple_element_t<first + i, Outer>>),
      "fusebox: what is inside a hedge is shared by the copies of a call: hold it by reference or by "
      "std::shared_ptr");
  [[nodiscard]] static type of([[maybe_unused]] Outer& parts) {
    return type{Outside<watches>{}, std::get<first + i>(parts)...};
  }
};

/// The parts of a call from the `first` on, and what stands for those before.
template <bool watches, std::size_t first, class Tuple>
using Inside = InsideOf<watches, first, Tuple, std::make_index_sequence<std::tuple_size_v<Tuple> - first>>;

}  // namespace detail

FUSEBOX_END_NAMESPACE

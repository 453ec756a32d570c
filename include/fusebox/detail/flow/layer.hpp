// fusebox/detail/flow/layer.hpp: how a policy takes part in the flow of a call.
//
// A policy is a layer: a specialisation of Layer. What one call has of it is a frame, an object on the stack
// that never calls what is inside it and never waits by itself, so that a blocking driver and a resumable one
// drive the same frames:
//
//   enter(slot)            may the call go on? success; the policy's refusal; or waiting
//   call()                 the Call that the layers inside and op get
//   again(verdict, slot)   after what is inside has ended: settle; true: once more, after a wait if the frame
//   Waits destructor             gives back what the frame holds: an exception, a coroutine that is destroyed
//   abandon()              optional: called in a handler if an exception passes, or the thread ends, while op
//                          runs. For what runs callbacks, which a destructor cannot let end the thread (B14)
//
// A frame that Waits also has, for after `waiting` or a true again():
//
//   wait_time()            how long, at most
//   wait_token()           ends the wait early: a stop, or the slot that it waits for
//   wait_is_over()         optional: has what it waits for come? Asked by those who cannot listen to a token
//   sleep()                waits on the calling thread, by the policy's clock; true if to the end
//   waited(to_its_end, slot)   success: go on inside; else how the call ends
#pragma once
// IWYU pragma: private

#include <chrono>
#include <memory>
#include <type_traits>
#include <utility>

#include <fusebox/call.hpp>
#include <fusebox/detail/flow/operation.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/flow/task.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// A policy's specialisation has
///
/// - `is_layer` = true (a member, since g++ 12 rejects a concept over a template Frame);
/// - `Clock`, the type of its clock, or void;
/// - `watches_late`: does it tell a late success from another? (P6)
/// - `Frame<Context>`, made of (policy, const Call& from outside, Side&);
/// - optionally `sets_attempt` = true: its Calls have a number of their own, and a key unless
///   a hedge around has given one (J4);
/// - optionally `queues` = true: another call ends its waits;
/// - optionally `is_parallel` = true: what is inside it may run several times at once, on other threads; see
///   detail/flow/inside.hpp;
/// - optionally `observers(policy)`, its CallObservers: it then has on_call();
/// - optionally `kind`, a LayerKind, if some orders are mistakes;
/// - if it may be a part of a pipeline, `explain(policy, text)`, its line of explain(): see
///   pipeline/detail/explanation.hpp;
/// - optionally `Side`: what a frame does not keep beside its hot fields. g++ keeps a whole object in memory
///   once the address of a part escapes;
/// - optionally `Result<R>`: the type that leaves it if R comes from inside (P13).
template <class P>
struct Layer {
  static constexpr bool is_layer = false;
};

template <class P>
concept HasLayer = Layer<P>::is_layer;

struct NoSide {};

/// What a frame knows of its place.
template <Takes what, bool is_watched, bool blocks = true, bool is_coroutine = false, bool cancels = false,
          bool is_in_copy = false>
struct FlowContext {
  /// Can what a fallback returns be awaited?
  static constexpr bool awaits = is_coroutine;
  /// Does op run on the stack below the frame? Not if the flow is driven step by step.
  static constexpr bool blocking = blocks;
  /// Can op be stopped, by a token that it takes or by its coroutine?
  static constexpr bool interruptible = is_interruptible(what) || cancels;
  static constexpr bool shows_deadline = sees_deadline(what);
  /// Does op see its attempt?
  static constexpr bool shows_attempt = sees_attempt(what);
  /// Does a policy outside tell a late success from another?
  static constexpr bool watched = is_watched;
  /// Is the frame inside a policy that runs it several times at once?
  static constexpr bool in_copy = is_in_copy;
};

template <class Frame>
concept Waits = requires(Frame& frame, SlotBase& slot) { frame.waited(true, slot); };

/// A frame that knows whether what it waits for has come.
template <class Frame>
concept EndsWaits = requires(const Frame& frame) { frame.wait_is_over(); };

/// A frame whose again() may say that its fallback, which returns a task, is to be awaited. A coroutine asks
/// fallback() for it, awaits what it returns, and puts the value into the slot.
template <class Frame>
concept FallsBackLater = requires(Frame& frame) { frame.fallback(); };

template <class Frame>
concept Abandons = requires(Frame& frame) { frame.abandon(); };

template <class L>
struct SideOf {
  using type = NoSide;
};
template <class L>
  requires requires { typename L::Side; }
struct SideOf<L> {
  using type = typename L::Side;
};

template <class L, class R, class = void>
struct ResultThrough {
  using type = R;
};
template <class L, class R>
struct ResultThrough<L, R, std::void_t<typename L::template Result<R>>> {
  using type = typename L::template Result<R>;
};

/// A part that the coroutine of a call keeps alive, or whose owner it does (A3).
template <class Part>
struct KeptAlive {
  Part part;
  std::shared_ptr<const void> owner;
};

/// How a part of a pipeline is held: itself, a reference, or a shared handle.
template <class Part>
struct HeldPart {
  using Policy = Part;
  [[nodiscard]] static Part& get(Part& part) noexcept { return part; }
};
template <class P>
struct HeldPart<std::shared_ptr<P>> {
  using Policy = P;
  [[nodiscard]] static P& get(const std::shared_ptr<P>& part) noexcept { return *part; }
};
template <class Part>
struct HeldPart<KeptAlive<Part>> {
  using Held = HeldPart<std::remove_cvref_t<Part>>;
  using Policy = typename Held::Policy;
  [[nodiscard]] static auto& get(KeptAlive<Part>& kept) noexcept { return Held::get(kept.part); }
};
template <class Part>
using PolicyOf = typename HeldPart<std::remove_cvref_t<Part>>::Policy;
/// A part of one call, as its coroutine holds it (A3): a policy by reference, and its owner if a
/// std::shared_ptr owns it; what belongs to the call alone by value.
template <class Part>
[[nodiscard]] decltype(auto) keep_part(std::remove_reference_t<Part>& part) {
  if constexpr (requires { part.weak_from_this(); }) {
    return KeptAlive<Part>{std::forward<Part>(part), part.weak_from_this().lock()};
  } else if constexpr (std::is_reference_v<Part>) {
    return (part);
  } else {
    return Part(std::move(part));
  }
}
/// A part of a pipeline, which is a policy or a handle.
template <class Part>
[[nodiscard]] decltype(auto) share_part(Part& part) {
  if constexpr (std::is_same_v<typename HeldPart<std::remove_const_t<Part>>::Policy,
                               std::remove_const_t<Part>>) {
    return keep_part<Part&>(part);
  } else {
    return Part(part);
  }
}

template <class Part>
using LayerOf = Layer<PolicyOf<Part>>;

/// Does a wait of the policy end on the stack of another call, such as the one that gives its slot back?
template <class Part>
inline constexpr bool queues = requires { LayerOf<Part>::queues; };

/// Does what is inside the policy run several times at once?
template <class Part>
inline constexpr bool is_parallel = requires { LayerOf<Part>::is_parallel; };

template <class Part>
inline constexpr bool sets_attempt = requires { LayerOf<Part>::sets_attempt; };

template <class Part>
inline constexpr bool watches_late = LayerOf<Part>::watches_late;
template <class Part>
  requires(!HasLayer<PolicyOf<Part>>)
inline constexpr bool watches_late<Part> = false;

/// What orders are mistakes between (P16).
enum class LayerKind : unsigned char { other, retry, total_timeout, attempt_timeout, fallback };

template <class Part>
inline constexpr LayerKind kind_of = LayerKind::other;
template <class Part>
  requires requires { LayerOf<Part>::kind; }
inline constexpr LayerKind kind_of<Part> = LayerOf<Part>::kind;

/// How a policy of the user's takes part: `run(policy, slot, inner)`, where inner() gives the verdict of what
/// is inside. Pipelines define it (P10).
template <class P>
struct ForeignPolicy;

}  // namespace detail

FUSEBOX_END_NAMESPACE

// fusebox/pipeline/detail/parts.hpp: what compose() makes of its arguments: the parts, held and checked.
#pragma once
// IWYU pragma: private, include <fusebox/pipeline.hpp>

#include <cstddef>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include <fusebox/detail/flow/drive.hpp>
#include <fusebox/detail/flow/layer.hpp>
#include <fusebox/detail/options.hpp>
#include <fusebox/pipeline/policy_result.hpp>

FUSEBOX_BEGIN_NAMESPACE

template <class... Parts>
class Pipeline;

namespace detail {

/// What in_this_order() gives: parts whose order is meant.
template <class... Ps>
struct InThisOrder {
  std::tuple<Ps...> parts;  // references, or values of what was given as an rvalue
};

template <class P>
inline constexpr bool is_in_this_order = is_specialization<std::remove_cvref_t<P>, InThisOrder>;

template <class T>
inline constexpr bool is_shared_ptr = is_specialization<std::remove_cvref_t<T>, std::shared_ptr>;

/// How a part is held (P1). A const policy cannot run a call, so it is copied.
template <class P>
struct Holding {
  using Plain = std::remove_cvref_t<P>;
  static constexpr bool by_value =
      is_shared_ptr<P> || !std::is_lvalue_reference_v<P> || std::is_const_v<std::remove_reference_t<P>>;
  using type = std::conditional_t<by_value, Plain, Plain&>;
  static constexpr bool is_possible = !by_value || std::is_constructible_v<Plain, P>;
};

template <class P>
consteval void check_holding() {
  constexpr bool is_copy = std::is_lvalue_reference_v<P>;
  static_assert(
      Holding<P>::is_possible || is_copy,
      "fusebox: a pipeline owns a part that is given as an rvalue, and this one can be neither moved "
      "nor copied: pass an lvalue, which must outlive the pipeline, or a std::shared_ptr");
  static_assert(
      Holding<P>::is_possible || !is_copy,
      "fusebox: a pipeline copies a part that is given as a const lvalue, since a call changes what a policy "
      "counts, and this one cannot be copied: pass an lvalue that is not const, which must outlive the "
      "pipeline, or a std::shared_ptr");
}

/// Does a pipeline give access to its parts?
struct PipelineParts {
  template <class P>
  [[nodiscard]] static auto& of(P& pipeline) noexcept {
    return pipeline.parts_;
  }
};

template <class P>
[[nodiscard]] auto flatten(P&& part);

/// An order that is given as an lvalue keeps what it owns, as a pipeline does.
template <class... Ps>
[[nodiscard]] auto flatten_ordered(InThisOrder<Ps...>& order) {
  return std::apply([](auto&... inner) { return std::tuple_cat(detail::flatten(inner)...); }, order.parts);
}
template <class... Ps>
[[nodiscard]] auto flatten_ordered(const InThisOrder<Ps...>& order) {
  return std::apply([](auto&... inner) { return std::tuple_cat(detail::flatten(inner)...); }, order.parts);
}
template <class... Ps>
[[nodiscard]] auto flatten_ordered(InThisOrder<Ps...>&& order) {
  return std::apply(
      [](auto&... inner) { return std::tuple_cat(detail::flatten(std::forward<Ps>(inner))...); },
      order.parts);
}

/// The parts that one argument of compose() stands for, in a tuple of what holds them.
template <class P>
[[nodiscard]] auto flatten(P&& part) {
  using Plain = std::remove_cvref_t<P>;
  if constexpr (is_in_this_order<P>) {
    return detail::flatten_ordered(std::forward<P>(part));
  } else if constexpr (is_pipeline<Plain>) {
    if constexpr (std::is_lvalue_reference_v<P>) {
      return std::apply([](auto&... inner) { return std::tuple_cat(detail::flatten(inner)...); },
                        PipelineParts::of(part));
    } else if constexpr (std::is_const_v<P>) {
      return std::remove_cvref_t<decltype(PipelineParts::of(part))>{PipelineParts::of(part)};
    } else {
      return std::move(PipelineParts::of(part));
    }
  } else if constexpr (is_shared_ptr<P> && is_pipeline<PolicyOf<P>>) {
    // Each part keeps the whole pipeline alive.
    return std::apply(
        [&](auto&... inner) {
          return std::tuple_cat(
              std::make_tuple(std::shared_ptr<std::remove_reference_t<
                                  decltype(HeldPart<std::remove_cvref_t<decltype(inner)>>::get(inner))>>{
                  part, std::addressof(HeldPart<std::remove_cvref_t<decltype(inner)>>::get(inner))})...);
        },
        PipelineParts::of(*part));
  } else {
    detail::check_holding<P>();
    if constexpr (Holding<P>::is_possible) {
      return std::tuple<typename Holding<P>::type>{std::forward<P>(part)};
    } else {
      return std::tuple<>{};  // so that the static_assert is the only error
    }
  }
}

template <class Tuple>
struct PipelineOf;
template <class... Parts>
struct PipelineOf<std::tuple<Parts...>> {
  using type = Pipeline<Parts...>;
};

/// A part inside a policy that runs it several times at once: its copies may outlive the call, so what the
/// pipeline owns they share.
template <bool is_inside, class Part>
[[nodiscard]] auto share_if(Part& part) {
  if constexpr (!is_inside || std::is_reference_v<Part> || is_shared_ptr<Part>) {
    return std::tuple<Part>{std::forward<Part>(part)};
  } else {
    return std::tuple<std::shared_ptr<Part>>{std::make_shared<Part>(std::move(part))};
  }
}
template <std::size_t i, class... Parts>
[[nodiscard]] consteval bool is_inside_parallel() noexcept {
  std::size_t place = 0;
  return (false || ... || (place++ < i && is_parallel<Parts>));
}
template <class... Parts>
[[nodiscard]] auto share_inside(std::tuple<Parts...>&& parts) {
  if constexpr ((false || ... || is_parallel<Parts>)) {
    return [&]<std::size_t... i>(std::index_sequence<i...>) {
      return std::tuple_cat(share_if<is_inside_parallel<i, Parts...>(), Parts>(std::get<i>(parts))...);
    }(std::index_sequence_for<Parts...>{});
  } else {
    return std::move(parts);
  }
}

// What is refused.

/// `place` counts from 1, the outermost. Compilers show both arguments.
template <class Part, int place>
inline constexpr bool is_policy_at_place = Policy<Part> || is_in_this_order<Part>;

template <class Part, int place>
consteval void check_part() {
  static_assert(
      is_policy_at_place<Part, place>,
      "fusebox: this part of compose() is no policy: it has no `execute(op)` that gives what op gives. "
      "Its type and its place, counted from 1, are the arguments of is_policy_at_place");
}
template <class... Ps, int... places>
consteval void check_parts(std::integer_sequence<int, places...>) {
  (check_part<std::remove_cvref_t<Ps>, places + 1>(), ...);
}

template <LayerKind outer, LayerKind inner>
consteval void check_pair() {
  static_assert(
      !(outer == LayerKind::attempt_timeout && inner == LayerKind::retry),
      "fusebox: an attempt_timeout outside a retry limits all attempts together: put it inside the retry, "
      "or call it total_timeout; if you mean it, write compose(in_this_order(...))");
  static_assert(
      !(outer == LayerKind::retry && inner == LayerKind::total_timeout),
      "fusebox: a total_timeout inside a retry limits each attempt alone: put it outside the retry, or "
      "call it attempt_timeout; if you mean it, write compose(in_this_order(...))");
  static_assert(
      !(outer == LayerKind::retry && inner == LayerKind::fallback),
      "fusebox: a fallback inside a retry turns every failure into a success, which the retry never "
      "sees: put it outside the retry; if you mean it, write compose(in_this_order(...))");
}

/// The kinds of the parts that an argument of compose() stands for.
template <LayerKind... kinds>
struct Kinds {};
template <class Tuple>
struct KindsIn;
template <class... Parts>
struct KindsIn<std::tuple<Parts...>> {
  using type = Kinds<kind_of<Parts>...>;
};
template <LayerKind... outer, LayerKind... inner>
consteval void check_kinds(Kinds<outer...>, Kinds<inner...>) {
  const auto against = []<LayerKind one>() { (check_pair<one, inner>(), ...); };
  (against.template operator()<outer>(), ...);
}
/// P16: each argument against those inside it. What is inside one argument was checked when it was made, or
/// is meant.
template <class First, class... Rest>
consteval void check_order() {
  (check_kinds(typename KindsIn<First>::type{}, typename KindsIn<Rest>::type{}), ...);
  if constexpr (sizeof...(Rest) != 0) check_order<Rest...>();
}

/// P14.
template <class Expected, class... Parts>
inline constexpr bool is_one_clock = true;
template <class Expected, class Part, class... Rest>
inline constexpr bool is_one_clock<Expected, Part, Rest...> = [] {
  using Clock = typename ClockOf<PolicyOf<Part>>::type;
  if constexpr (std::is_void_v<Clock>) {
    return is_one_clock<Expected, Rest...>;
  } else if constexpr (std::is_void_v<Expected>) {
    return is_one_clock<Clock, Rest...>;
  } else {
    return std::is_same_v<Expected, Clock> && is_one_clock<Expected, Rest...>;
  }
}();

template <class... Parts>
consteval void check_clocks(std::type_identity<std::tuple<Parts...>>) {
  static_assert(is_one_clock<void, Parts...>,
                "fusebox: all parts of a pipeline that have a clock need clocks of one type");
}

}  // namespace detail

FUSEBOX_END_NAMESPACE

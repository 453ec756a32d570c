// fusebox/pipeline/explain.hpp: explain(), what the policies of a pipeline do together.
#pragma once
// IWYU pragma: private, include <fusebox/pipeline.hpp>

#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <fusebox/detail/flow/layer.hpp>
#include <fusebox/detail/flow/verdict.hpp>
#include <fusebox/pipeline/detail/explanation.hpp>
#include <fusebox/pipeline/detail/parts.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// What the i-th part sees: one call, each attempt of a retry outside, or what a policy of the user's makes
/// of them.
template <std::size_t i, class... Parts>
[[nodiscard]] consteval Explanation::SeenBy seen_by() noexcept {
  auto seen = Explanation::SeenBy::whole_call;
  std::size_t place = 0;
  const auto look = [&]<class Part>() {
    if (place++ >= i) return;
    if (!HasLayer<PolicyOf<Part>>) seen = Explanation::SeenBy::call_of_own;
    if (kind_of<Part> == LayerKind::retry) seen = Explanation::SeenBy::attempt;
  };
  (look.template operator()<Parts>(), ...);
  return seen;
}

template <class Part>
void explain_part(const PolicyOf<Part>& policy, Explanation& text) {
  if constexpr (HasLayer<PolicyOf<Part>>) {
    LayerOf<Part>::explain(policy, text);
  } else {
    text.say(
        "policy", name_at_front(name_of_type<PolicyOf<Part>>()),
        "a policy of the program, which calls what is inside it as often as it likes; it is called once for "
        "each " +
            std::string{text.unit()});
    text.repeat(0, no_timeout);
  }
}

}  // namespace detail

/// What the policies of a pipeline do together, for people: a line for each, the outermost first, with what
/// it sees of a call; then the most calls of op and the longest time of one logical call. The text may change
/// from version to version. May throw std::bad_alloc.
template <class... Parts>
[[nodiscard]] std::string explain(const Pipeline<Parts...>& pipeline) {
  detail::Explanation text;
  [[maybe_unused]] auto& parts = detail::PipelineParts::of(pipeline);
  [&]<std::size_t... outside>(std::index_sequence<outside...>) {
    [[maybe_unused]] const auto add = [&]<std::size_t i>() {
      using Part = std::tuple_element_t<i, std::tuple<Parts...>>;
      text.place(detail::seen_by<i, Parts...>());
      detail::explain_part<Part>(detail::HeldPart<std::remove_cvref_t<Part>>::get(std::get<i>(parts)), text);
    };
    (add.template operator()<sizeof...(Parts) - 1 - outside>(), ...);
  }(std::index_sequence_for<Parts...>{});
  return text.text();
}

FUSEBOX_END_NAMESPACE

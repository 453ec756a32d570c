// storm/any_rule.hpp: AnyRule, a rule of an adaptive limit that is known at run time: one of the library's.
#pragma once

#include <fusebox/adaptive_limit.hpp>

#include <chrono>
#include <type_traits>
#include <utility>
#include <variant>

namespace storm {

class AnyRule {
 public:
  using Rule = std::variant<fusebox::Measured, fusebox::Aimd, fusebox::Gradient2, fusebox::Vegas>;

  AnyRule(Rule given = {}) : rule{std::move(given)} {
    std::visit(
        [this](const auto& chosen) {
          initial = chosen.initial;
          min = chosen.min;
          max = chosen.max;
          window = chosen.window;
          min_samples = chosen.min_samples;
        },
        rule);
  }
  friend bool operator==(const AnyRule&, const AnyRule&) = default;

  class State {
   public:
    explicit State(const AnyRule& any)
        : state_{std::visit(
              [](const auto& chosen) {
                return States{typename std::remove_cvref_t<decltype(chosen)>::State{chosen}};
              },
              any.rule)} {}

    [[nodiscard]] fusebox::AdaptiveStep next(const AnyRule& any,
                                             const fusebox::AdaptiveWindow& measured) noexcept {
      return std::visit(
          [&]<class R>(const R& chosen) {
            return std::get_if<typename R::State>(&state_)->next(chosen, measured);
          },
          any.rule);
    }

   private:
    using States = std::variant<fusebox::Measured::State, fusebox::Aimd::State, fusebox::Gradient2::State,
                                fusebox::Vegas::State>;
    States state_;
  };

  Rule rule;
  int initial = 0;  // what all of them have
  int min = 0;
  int max = 0;
  std::chrono::nanoseconds window{};
  int min_samples = 0;
};

static_assert(fusebox::AdaptiveRule<AnyRule>);

}  // namespace storm

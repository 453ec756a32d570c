// fusebox/circuit_breaker/detail/rejection_sources.hpp: what the rejections of one breaker share (B9, B18).
//
// One source for each state in which a breaker rejects calls: its name, its text, and the causes of its last
// openings. They are made with the breaker and never change, so that a rejection allocates nothing, takes no
// lock, and only copies a pointer.
#pragma once
// IWYU pragma: private, include <fusebox/circuit_breaker.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fusebox/circuit_breaker/detail/state_word.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Null also if memory runs out.
[[nodiscard]] FUSEBOX_DETAIL_COLD inline Cause make_cause(const Failure* failure) noexcept {
  if (failure == nullptr) return nullptr;
  FUSEBOX_DETAIL_TRY { return std::make_shared<const std::optional<Failure>>(*failure); }
  FUSEBOX_DETAIL_CATCH_ALL { return nullptr; }
}

class RejectionSources {
 public:
  using Source = std::shared_ptr<const RejectionSource>;

  explicit RejectionSources(std::string_view name)
      : causes_{std::make_shared<Causes>()},
        open_{CircuitRejection::source(name, " is open", causes_)},
        half_open_{CircuitRejection::source(name, " is half-open and admits no further probe", causes_)},
        forced_open_{CircuitRejection::source(name, " is forced open")},
        recovering_{CircuitRejection::source(name, " is recovering")} {}

  [[nodiscard]] const std::string& name() const noexcept { return open_->name; }

  /// Before the state of an opening; `generation` is that of the open state.
  void put_cause(std::uint32_t generation, Cause cause) noexcept {
    causes_->put(generation, std::move(cause));
  }

  /// Of a call that was rejected in this state; closed means that the breaker was recovering.
  [[nodiscard]] const Source& of(State state) const noexcept {
    switch (state) {
      case State::closed: return recovering_;
      case State::half_open: return half_open_;
      case State::forced_open: return forced_open_;
      default: return open_;
    }
  }

 private:
  const std::shared_ptr<Causes> causes_;
  const Source open_;
  const Source half_open_;
  const Source forced_open_;
  const Source recovering_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

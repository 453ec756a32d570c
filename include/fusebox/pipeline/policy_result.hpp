// fusebox/pipeline/policy_result.hpp: PolicyResult, what a policy of your own gets from its op; Policy (P10).
#pragma once
// IWYU pragma: private, include <fusebox/pipeline.hpp>

#include <concepts>
#include <exception>
#include <optional>
#include <type_traits>

#include <fusebox/detail/flow/layer.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/detail/unwinding.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// How the call inside a policy of your own ended. Only a pipeline makes one: op gives it to the policy,
/// whose execute() gives it back. The library's own policies understand it, so that yours may be built of
/// them.
///
///     struct Logged {
///       template <class Op>
///       auto execute(Op&& op) {
///         auto result = op();
///         if (!result.has_value()) log(result.error().message());
///         return result;
///       }
///     };
///
/// Valid until the next call of op, or until execute() returns.
class [[nodiscard]] PolicyResult {
 public:
  [[nodiscard]] bool has_value() const noexcept { return detail::has_value(verdict_); }
  /// Why there is no value. Only if there is none.
  [[nodiscard]] const Failure& error() const { return slot_->failure(); }

 private:
  template <class P>
  friend struct detail::ForeignPolicy;

  PolicyResult(detail::Verdict verdict, detail::SlotBase& slot) noexcept : verdict_{verdict}, slot_{&slot} {}

  detail::Verdict verdict_;
  detail::SlotBase* slot_;
};

/// A rejection stays one.
template <>
struct failure_traits<PolicyResult> {
  [[nodiscard]] static std::optional<Failure> failure(const PolicyResult& result) {
    return result.has_value() ? std::nullopt : std::optional<Failure>{result.error()};
  }
};

namespace detail {

/// What a policy of the user's gets as op.
struct PolicyOp {
  PolicyResult operator()() const;
};
template <class P>
concept HasExecute = requires(P& policy, PolicyOp op) {
  { policy.execute(op) } -> std::same_as<PolicyResult>;
};

template <class T>
inline constexpr bool is_pipeline = false;

/// The verdict of the last call counts, whatever the policy gives back. What the policy throws is a failure
/// as if op had thrown it. What comes through op is no failure, and goes through the policy (P11).
template <class P>
struct ForeignPolicy {
  template <class Slot, class Inner>
  static Verdict run(P& policy, Slot& slot, Inner& inner) {
    Verdict last = Verdict::cancelled;
    bool is_called = false;
    [[maybe_unused]] std::exception_ptr passing;  // through the last call
    const auto op = [&] {
      if (is_called) {  // the value and the failure of the call before
        slot.drop_value();
        slot.base().clear_failure();
      }
      is_called = true;
      FUSEBOX_DETAIL_TRY { last = inner(); }
      FUSEBOX_DETAIL_CATCH_ALL {
        passing = detail::caught_exception();
        FUSEBOX_DETAIL_RETHROW;
      }
      return PolicyResult{last, slot.base()};
    };
    FUSEBOX_DETAIL_TRY { static_cast<void>(policy.execute(op)); }
    FUSEBOX_DETAIL_CATCH_ALL {
      if (passing && detail::caught_exception()) std::rethrow_exception(passing);
      slot.drop_value();
      return detail::catch_into(slot.base());
    }
    if (passing) std::rethrow_exception(passing);
    if (!is_called) slot.base().fail_own(Failure{make_error_code(PolicyErrc::cancelled)});
    return last;
  }
};

}  // namespace detail

/// A part of a pipeline (P1): a policy of the library, a Pipeline, a std::shared_ptr to one of them, or a
/// class with a `template <class Op> auto execute(Op&& op)` that gives what op gives.
template <class P>
concept Policy = detail::HasLayer<detail::PolicyOf<P>> || detail::is_pipeline<detail::PolicyOf<P>> ||
                 detail::HasExecute<detail::PolicyOf<P>>;

FUSEBOX_END_NAMESPACE

// fusebox/detail/flow/slot.hpp: what a call leaves: Verdict, in a register, and Slot, the value or the
// failure.
//
// Verdicts travel from op outwards through the frames of the policies. The slot lies beside them and is
// passed by reference: it holds op's value, a fallback's, or why there is none. A refusal is a policy and two
// words until somebody asks for its Failure (P4).
#pragma once
// IWYU pragma: private

#include <cstring>
#include <memory>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

#include <fusebox/detail/admission.hpp>
#include <fusebox/detail/flow/result.hpp>
#include <fusebox/detail/flow/verdict.hpp>
#include <fusebox/detail/unwinding.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// How a call ended, as its policies see it.
enum class Verdict : unsigned char {
  success,
  late,  ///< there is a value, and a limit inside had passed: a failure to a breaker (P6)
  failure,
  rejected,      ///< a policy refused the call
  cancelled,     ///< by the caller
  config_error,  ///< a config was refused (E6): nobody's failure
  waiting,       ///< of enter() alone: wait, and ask again
};

[[nodiscard]] constexpr bool has_value(Verdict verdict) noexcept { return verdict <= Verdict::late; }
/// Neither retried nor given a fallback (P5).
[[nodiscard]] constexpr bool is_nobodys(Verdict verdict) noexcept {
  return verdict == Verdict::cancelled || verdict == Verdict::config_error;
}

[[nodiscard]] inline Verdict verdict_of(const std::error_code& code) noexcept {
  if (has_errno_values(code.category())) [[likely]] {
    return static_cast<std::errc>(code.value()) == std::errc::operation_canceled ? Verdict::cancelled
                                                                                 : Verdict::failure;
  }
  if (code.category() == http_category()) return Verdict::failure;
  const std::error_code known = detail::unwrapped(code);
  if (is_cancellation_code(known)) return Verdict::cancelled;
  return is_rejection_code(known) ? Verdict::rejected : Verdict::failure;
}
[[nodiscard]] inline Verdict verdict_of(const Failure& failure) noexcept {
  return failure.is_config_error() ? Verdict::config_error : verdict_of(failure.code());
}

/// Why there is no value, whatever its type.
class SlotBase {
 public:
  using MakeFailure = Failure (*)(const void* policy, Admission admission);

  SlotBase() noexcept {}  // NOLINT(*-use-equals-default)
  SlotBase(const SlotBase&) = delete;
  SlotBase& operator=(const SlotBase&) = delete;
  FUSEBOX_DETAIL_INLINE ~SlotBase() { clear_failure(); }

  /// op failed.
  FUSEBOX_DETAIL_COLD void fail(Failure failure) noexcept { store(std::move(failure), false); }
  /// op failed with a value that is no more than a code.
  void fail_by_code(const std::error_code& code) noexcept {
    clear_failure();
    std::construct_at(&code_, code);
    holds_ = Holds::code;
    is_own_ = false;
  }
  /// The library ends the call: what op left does not matter any more.
  FUSEBOX_DETAIL_COLD void fail_own(Failure failure) noexcept { store(std::move(failure), true); }
  /// A policy rejects the call on entry, before any failure. `make(policy, admission)` gives its
  /// error, if anybody asks.
  FUSEBOX_DETAIL_INLINE void refuse(PolicyErrc reason, MakeFailure make, const void* policy,
                                    Admission admission) noexcept {
    std::construct_at(&refusal_, Refusal{make, policy, admission, reason});
    holds_ = Holds::refusal;
    is_own_ = true;
  }

  [[nodiscard]] bool is_code() const noexcept { return holds_ == Holds::code; }
  /// Of a failure that is_code().
  [[nodiscard]] const std::error_code& code() const noexcept { return code_; }
  /// Has the library ended the call, rather than op?
  [[nodiscard]] bool is_own() const noexcept { return is_own_; }
  /// Of one that is_own() and not stands_for_op(): which verdict of the library it is.
  [[nodiscard]] PolicyErrc reason() const noexcept {
    return holds_ == Holds::refusal ? refusal_.reason : static_cast<PolicyErrc>(failure_.code().value());
  }
  /// Of one that is_own(): is it no verdict of the library, but an error in the place of op's?
  [[nodiscard]] bool stands_for_op() const noexcept {
    return holds_ == Holds::failure && failure_.code().category() != policy_error_category();
  }
  [[nodiscard]] bool has_failure() const noexcept { return holds_ != Holds::nothing; }

  [[nodiscard]] bool is_refusal() const noexcept { return holds_ == Holds::refusal; }
  /// The error of one that is_refusal(), made anew.
  [[nodiscard]] Failure make_refusal() const { return refusal_.make(refusal_.policy, refusal_.admission); }

  /// Why there is no value. Only if the verdict says so. A refusal's is made now, while the policy lives.
  [[nodiscard]] FUSEBOX_DETAIL_NOINLINE const Failure& failure() {
    // Made in place; a maker that throws leaves what there was.
    if (holds_ == Holds::refusal) {
      const Refusal refusal = refusal_;
      ::new (static_cast<void*>(&failure_)) Failure(refusal.make(refusal.policy, refusal.admission));
      holds_ = Holds::failure;
    } else if (holds_ == Holds::code) {
      const std::error_code code = code_;
      std::construct_at(&failure_, code);
      holds_ = Holds::failure;
    }
    return failure_;
  }
  /// The same, moved out.
  [[nodiscard]] Failure release_failure() {
    static_cast<void>(failure());
    return std::move(failure_);
  }
  /// What one copy of a call left becomes what the call leaves. Its policies must live.
  void take_from(SlotBase& copy) noexcept {
    if (copy.holds_ == Holds::refusal) {
      clear_failure();
      std::construct_at(&refusal_, copy.refusal_);
      holds_ = Holds::refusal;
    } else if (copy.holds_ == Holds::code) {
      fail_by_code(copy.code_);
    } else if (copy.holds_ == Holds::failure) {
      store(std::move(copy.failure_), copy.is_own_);
    }
    is_own_ = copy.is_own_;
  }
  FUSEBOX_DETAIL_INLINE void clear_failure() noexcept {
    if (holds_ == Holds::failure) [[unlikely]]
      destroy();
    holds_ = Holds::nothing;
  }

 private:
  enum class Holds : unsigned char { nothing, code, refusal, failure };
  struct Refusal {
    MakeFailure make;
    const void* policy;
    Admission admission;
    PolicyErrc reason;
  };

  void store(Failure failure, bool is_own) noexcept {
    clear_failure();
    std::construct_at(&failure_, std::move(failure));
    holds_ = Holds::failure;
    is_own_ = is_own;
  }
  FUSEBOX_DETAIL_COLD void destroy() noexcept { std::destroy_at(&failure_); }

  union {
    // NOLINTBEGIN(readability-identifier-naming)
    std::error_code code_;
    Refusal refusal_;
    Failure failure_;
    // NOLINTEND(readability-identifier-naming)
  };
  Holds holds_ = Holds::nothing;
  bool is_own_ = false;
};

/// In a handler: what op, or a function of the user's, threw. Rethrows what ends the thread or fiber (F4).
FUSEBOX_DETAIL_COLD inline Verdict catch_into(SlotBase& slot) {
#if FUSEBOX_DETAIL_EXCEPTIONS
  auto exception = detail::caught_exception();
  if (!exception) throw;
  slot.fail(Failure::from_exception(std::move(exception)));
  return detail::verdict_of(slot.failure());
#else
  static_cast<void>(slot);
  return Verdict::failure;
#endif
}

/// What a call leaves whose op returns V, and which returns R. With fallbacks these may differ. The failure
/// is an object of its own, since its address escapes: g++ then keeps the whole object in memory, and the
/// value is to travel in registers.
template <class V, class R, class Rule = NoRule>
class Slot {
  using Value = std::conditional_t<std::is_reference_v<V>, V, std::remove_cv_t<V>>;
  static constexpr bool is_one_type = std::is_same_v<Value, R>;
  static constexpr bool has_no_value = std::is_void_v<V>;
  static constexpr bool is_small =
      sizeof(ResultStorage<Value>) <= 16 && std::is_trivially_copyable_v<ResultStorage<Value>>;

 public:
  using value_type = V;
  using result_type = R;
  /// May there be a value beside a failure, or one to destroy? Else nothing need be noted.
  static constexpr bool notes_value =
      !has_no_value && (!is_one_type || can_fail<std::remove_cvref_t<V>, Rule> ||
                        !std::is_trivially_destructible_v<ResultStorage<Value>>);

  FUSEBOX_DETAIL_INLINE explicit Slot(SlotBase& failure) noexcept : failure_{failure} {}
  FUSEBOX_DETAIL_INLINE ~Slot() { drop_value(); }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  [[nodiscard]] FUSEBOX_DETAIL_INLINE SlotBase& base() const noexcept { return failure_; }

  /// Calls op, and keeps its value.
  template <class F>
  FUSEBOX_DETAIL_INLINE void make(F&& op) {
    std::construct_at(&value_, std::in_place, op);
    note(Holds::value);
  }
  /// Calls a fallback, which gives an R, and keeps that in place of what op left.
  template <class F>
  FUSEBOX_DETAIL_INLINE void make_result(F&& fallback) {
    drop_value();
    if constexpr (is_one_type) {
      make(fallback);
    } else {
      std::construct_at(&result_, std::in_place, fallback);
      note(Holds::result);
    }
  }
  FUSEBOX_DETAIL_INLINE void drop_value() noexcept {
    if constexpr (notes_value) {
      if (holds_ == Holds::value) {
        std::destroy_at(&value_);
      } else if constexpr (!is_one_type) {
        if (holds_ == Holds::result) std::destroy_at(&result_);
      }
      note(Holds::nothing);
    }
  }
  /// What one copy of a call left becomes what the call leaves.
  void take_from(Slot& copy, Verdict verdict) {
    failure_.take_from(copy.base());
    if constexpr (!has_no_value) {
      if constexpr (notes_value && !is_one_type) {
        if (copy.holds_ == Holds::result) return make_result([&]() -> R { return copy.take(); });
      }
      if (notes_value ? copy.has_value() : detail::has_value(verdict))
        make([&]() -> Value { return std::forward<Value>(copy.value_.get()); });
    }
  }

  /// Is there a value beside a failure?
  [[nodiscard]] FUSEBOX_DETAIL_INLINE bool has_value() const noexcept {
    if constexpr (notes_value) return holds_ != Holds::nothing;
    return false;
  }
  /// Of a call without a value: g++ does not see that none is taken then, and would warn of it in the code of
  /// users.
  FUSEBOX_DETAIL_INLINE void blank() noexcept {
    if constexpr (is_small) std::memset(static_cast<void*>(&value_), 0, sizeof(value_));
  }
  /// op's value.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE const auto& peek() const noexcept { return value_.get(); }
  /// Calls use(value) with the value that a success left: op's, or a fallback's.
  template <class Use>
  void visit(Use use) const {
    if constexpr (has_no_value) {
      return;
    } else {
      if constexpr (!is_one_type) {
        if (holds_ == Holds::result) return use(result_.get());
      }
      use(value_.get());
    }
  }
  /// The result, once.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE R take() {
    if constexpr (has_no_value) {
      return;
    } else if constexpr (is_one_type) {
      return static_cast<R>(std::forward<Value>(value_.get()));
    } else {
      if (holds_ == Holds::result) return result_from_fallback();
      return detail::convert_result<R>(std::forward<Value>(value_.get()));
    }
  }

 private:
  enum class Holds : unsigned char { nothing, value, result };
  struct Nothing {};

  FUSEBOX_DETAIL_INLINE void note(Holds holds) noexcept {
    if constexpr (notes_value) holds_ = holds;
  }
  [[nodiscard]] R result_from_fallback() {
    if constexpr (!std::is_void_v<R>) return static_cast<R>(std::forward<R>(result_.get()));
  }

  SlotBase& failure_;
  union {
    // NOLINTBEGIN(readability-identifier-naming)
    ResultStorage<Value> value_;
    std::conditional_t<is_one_type, Nothing, ResultStorage<R>> result_;
    // NOLINTEND(readability-identifier-naming)
  };
  [[no_unique_address]] std::conditional_t<notes_value, Holds, Nothing> holds_{};
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

// fusebox/permit.hpp: Permit, one admitted call whose outcome is reported by hand.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/detail/admission.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/fwd.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {
struct PermitAccess;
}

/// Permission to make one call, or the refusal of it: test it, make the call, report how it ended. For
/// callbacks and other control flow that execute() does not fit.
///
///     if (Permit permit = breaker.try_acquire()) {
///       send(request, [permit = std::move(permit)](std::error_code error) mutable {
///         error ? permit.failure() : permit.success();
///       });
///     }
///
/// Only the first report counts; a Permit that is destroyed without one reports `ignored`, which frees its
/// slot. One type serves all policies that admit calls, and all clocks. Unless it has reported, it must not
/// outlive its policy (debug builds assert); `try_acquire(shared_ptr)` returns one that keeps the policy
/// alive. Not thread-safe: one thread at a time may use a Permit, but not always the same one.
class [[nodiscard]] Permit {
 public:
  /// A refusal.
  Permit() noexcept = default;
  Permit(Permit&& other) noexcept
      : target_{std::exchange(other.target_, nullptr)},
        admission_{other.admission_},
        admitted_{std::exchange(other.admitted_, false)},
        counted_{other.counted_},
        generation_{other.generation_},
        keep_alive_{std::move(other.keep_alive_)} {}
  Permit& operator=(Permit&& other) noexcept {
    Permit taken{std::move(other)};
    std::swap(target_, taken.target_);
    std::swap(admission_, taken.admission_);
    std::swap(admitted_, taken.admitted_);
    std::swap(counted_, taken.counted_);
    std::swap(generation_, taken.generation_);
    std::swap(keep_alive_, taken.keep_alive_);
    return *this;
  }
  ~Permit() { ignore(); }

  /// Whether the call may be made. A report does not change it.
  [[nodiscard]] explicit operator bool() const noexcept { return admitted_; }

  void success() noexcept { report(Outcome::success); }
  void failure() noexcept { report(Outcome::failure); }
  void ignore() noexcept { report(Outcome::ignored); }
  void report(Outcome outcome) noexcept { settle(outcome, nullptr); }
  /// Reports what the call left: for a breaker, the config's `classify` says what that means, as in
  /// execute(). A rejection or a cancellation is ignored. Throws what `classify` throws, after it has
  /// reported `ignored`.
  void report(const Failure& failure);

  /// The error of a refusal, such as a CircuitOpenError or a BulkheadFullError, made anew at each call. A
  /// Permit that was admitted, or that no policy refused, has a CircuitOpenError without a name. Call it
  /// while the policy lives, unless the Permit is of `try_acquire(shared_ptr)`.
  [[nodiscard]] RejectedError rejection() const;

 private:
  friend struct detail::PermitAccess;

  Permit(detail::PermitTarget& target, detail::Admission admission, bool admitted, bool counted) noexcept
      : target_{&target}, admission_{admission}, admitted_{admitted}, counted_{counted} {}

  /// A refusal that knows its error without the policy: keep the source and when it was, in place of what an
  /// admission says. The admission's time is that of retry_after.
  void detach(std::shared_ptr<const detail::RejectionSource> source, std::uint32_t generation,
              std::chrono::system_clock::time_point at) noexcept {
    target_ = nullptr;
    admission_.word = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count());
    generation_ = generation;
    keep_alive_ = std::move(source);
  }

  void settle(Outcome outcome, const Failure* failure) noexcept {
    if (!admitted_) return;
    auto* const target = std::exchange(target_, nullptr);
    if (target == nullptr) return;
    if (counted_) target->end_permit();
    target->report_permit(admission_, outcome, failure);
  }

  detail::PermitTarget* target_ = nullptr;
  detail::Admission admission_;
  bool admitted_ = false;
  bool counted_ = false;
  std::uint32_t generation_ = 0;            // of a refusal without a target
  std::shared_ptr<const void> keep_alive_;  // the policy; of a refusal without a target, its source
};

FUSEBOX_DETAIL_COLD inline RejectedError Permit::rejection() const {
  if (admitted_) return CircuitOpenError{};
  if (target_ != nullptr) return target_->permit_error(admission_);
  if (!keep_alive_) return CircuitOpenError{};
  std::optional<std::chrono::milliseconds> retry_after;
  if (admission_.time != detail::unknown_wait)
    retry_after = detail::ceil_seconds(std::chrono::nanoseconds{admission_.time});
  const std::chrono::nanoseconds since_epoch{static_cast<std::int64_t>(admission_.word)};
  return detail::PolicyRejection::error(
      std::static_pointer_cast<const detail::RejectionSource>(keep_alive_), retry_after,
      std::chrono::system_clock::time_point{
          std::chrono::duration_cast<std::chrono::system_clock::duration>(since_epoch)},
      generation_);
}

inline void Permit::report(const Failure& failure) {
  if (target_ == nullptr || !admitted_) return;
  struct Settling {
    Permit& permit;
    const Failure& failure;
    Outcome outcome = Outcome::ignored;
    ~Settling() { permit.settle(outcome, &failure); }
  } settling{*this, failure};
  settling.outcome = target_->judge_permit(admission_, failure);
}

namespace detail {

/// How a policy makes its permits.
struct PermitAccess {
  /// `counted`: the target's end_permit() is called before the report.
  [[nodiscard]] static Permit admitted(PermitTarget& target, Admission admission, bool counted) noexcept {
    return {target, admission, true, counted};
  }
  [[nodiscard]] static Permit refused(PermitTarget& target, Admission admission) noexcept {
    return {target, admission, false, false};
  }
  [[nodiscard]] static Admission admission(const Permit& permit) noexcept { return permit.admission_; }

  static void keep_alive(Permit& permit, std::shared_ptr<const void> policy) noexcept {
    permit.keep_alive_ = std::move(policy);
  }
  static void detach(Permit& permit, std::shared_ptr<const RejectionSource> source, std::uint32_t generation,
                     std::chrono::system_clock::time_point at) noexcept {
    permit.detach(std::move(source), generation, at);
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

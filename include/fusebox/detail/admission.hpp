// fusebox/detail/admission.hpp: Admission, what a policy needs to settle one call, and where a Permit
// reports.
#pragma once
// IWYU pragma: private

#include <cstdint>

#include <fusebox/api_error.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Two plain words, so that an admission travels in registers. Each policy says what they mean.
struct Admission {
  std::uint64_t word = 0;
  Tick time = 0;

  friend constexpr bool operator==(const Admission&, const Admission&) noexcept = default;
};

/// The time of a refused admission if nobody knows when a call may be admitted.
inline constexpr Tick unknown_wait = -1;

/// What a Permit reports to.
class FUSEBOX_API PermitTarget {
 public:
  /// `failure` is null if it is not known.
  virtual void report_permit(Admission admission, Outcome outcome, const Failure* failure) noexcept = 0;
  /// What the policy makes of a failure; may throw what its config's functions throw.
  [[nodiscard]] virtual Outcome judge_permit(Admission admission, const Failure& failure) const = 0;
  /// The error of a rejected permit.
  [[nodiscard]] virtual RejectedError permit_error(Admission admission) const = 0;
  /// Before the report of a permit that was counted.
  virtual void end_permit() noexcept = 0;

 protected:
  PermitTarget() = default;
  ~PermitTarget() = default;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

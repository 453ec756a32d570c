// fusebox/permit.hpp: Permit, one admitted call whose outcome is reported by hand.
#pragma once

#include <memory>
#include <utility>

#include <fusebox/detail/admission.hpp>
#include <fusebox/failure/outcome.hpp>
#include <fusebox/fwd.hpp>

FUSEBOX_BEGIN_NAMESPACE

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
/// slot. One type serves all clocks. Unless it has
/// reported, it must not outlive its breaker (debug builds assert);
/// `try_acquire(shared_ptr)` returns one that keeps the breaker alive. Not thread-safe: one thread at a time
/// may use a Permit, but not always the same one.
class [[nodiscard]] Permit {
 public:
  /// A refusal.
  Permit() noexcept = default;
  Permit(Permit&& other) noexcept
      : target_{std::exchange(other.target_, nullptr)},
        admission_{other.admission_},
        admitted_{std::exchange(other.admitted_, false)},
        counted_{other.counted_},
        keep_alive_{std::move(other.keep_alive_)} {}
  Permit& operator=(Permit&& other) noexcept {
    Permit taken{std::move(other)};
    std::swap(target_, taken.target_);
    std::swap(admission_, taken.admission_);
    std::swap(admitted_, taken.admitted_);
    std::swap(counted_, taken.counted_);
    std::swap(keep_alive_, taken.keep_alive_);
    return *this;
  }
  ~Permit() { ignore(); }

  /// Whether the call may be made. A report does not change it.
  [[nodiscard]] explicit operator bool() const noexcept { return admitted_; }

  void success() noexcept { report(Outcome::success); }
  void failure() noexcept { report(Outcome::failure); }
  void ignore() noexcept { report(Outcome::ignored); }
  void report(Outcome outcome) noexcept {
    auto* const target = std::exchange(target_, nullptr);
    if (target == nullptr) return;
    if (counted_) target->end_permit();
    target->report_permit(admission_, outcome);
  }

 private:
  template <class C>
  friend class CircuitBreaker;
  template <class C>
  friend Permit try_acquire(std::shared_ptr<CircuitBreaker<C>> breaker) noexcept;

  Permit(detail::PermitTarget& target, detail::Admission admission, bool counted) noexcept
      : target_{&target}, admission_{admission}, admitted_{true}, counted_{counted} {}

  detail::PermitTarget* target_ = nullptr;
  detail::Admission admission_;
  bool admitted_ = false;
  bool counted_ = false;
  std::shared_ptr<void> keep_alive_;
};

FUSEBOX_END_NAMESPACE

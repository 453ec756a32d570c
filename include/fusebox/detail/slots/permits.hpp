// fusebox/detail/slots/permits.hpp: the Permits of a policy with slots: try_acquire() and acquire() (K9).
#pragma once
// IWYU pragma: private

#include <memory>
#include <utility>

#include <fusebox/call.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/admission.hpp>
#include <fusebox/detail/options.hpp>
#include <fusebox/detail/slots/waiting.hpp>
#include <fusebox/permit.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// `Core` is a SlotCore and a PermitTarget; its begin() is the admission of a call that has a slot.
template <class Core>
struct SlotPermits {
  [[nodiscard]] FUSEBOX_DETAIL_INLINE static Permit try_acquire(Core& core, Priority priority) noexcept {
    if (core.try_take(priority) || core.try_pass(priority)) return admitted(core);
    core.count_rejected(priority);
    return refused(core);
  }

  template <class... Options>
  [[nodiscard]] static Permit acquire(Core& core, const Options&... options) {
    static_assert((... && is_one_of<Options, IsStopToken, IsDeadline, IsPriority>),
                  "fusebox: unknown option: acquire accepts a std::stop_token, a Deadline and a Priority");
    static_assert(count_of<IsStopToken, Options...> <= 1 && count_of<IsDeadline, Options...> <= 1 &&
                      count_of<IsPriority, Options...> <= 1,
                  "fusebox: two options of one kind: acquire accepts at most one each of std::stop_token, "
                  "Deadline and Priority");
    const StopToken no_token;
    const Deadline no_deadline;
    constexpr Priority normal = Priority::normal;
    const Priority priority = option_or<IsPriority>(normal, options...);
    const StopToken& token = option_or<IsStopToken>(no_token, options...);
    if (token.stop_requested()) return refused(core);
    if (core.try_take(priority)) return admitted(core);
    return acquire_slow_path(core, priority, option_or<IsDeadline>(no_deadline, options...), token);
  }

 private:
  using Wait = SlotWait<typename Core::Slots>;

  [[nodiscard]] FUSEBOX_DETAIL_INLINE static Permit admitted(Core& core) noexcept {
    return PermitAccess::admitted(core, core.begin(), false);
  }
  [[nodiscard]] FUSEBOX_DETAIL_INLINE static Permit refused(Core& core) noexcept {
    return PermitAccess::refused(core, {0, unknown_wait});
  }

  [[nodiscard]] FUSEBOX_DETAIL_COLD static Permit acquire_slow_path(Core& core, Priority priority,
                                                                    const Deadline& deadline,
                                                                    const StopToken& token) {
    typename Wait::Queued wait;
    auto stage = Wait::begin(core, priority, deadline, &token, wait);
    if (stage == Wait::Stage::queued) stage = wait->finish(wait->sleep());
    return stage == Wait::Stage::admitted ? admitted(core) : refused(core);
  }
};

/// The Permit keeps `policy` alive, which owns the core; a refusal knows its error without it.
template <class Core, class Policy>
[[nodiscard]] FUSEBOX_DETAIL_INLINE Permit try_acquire_shared(Core& core, Priority priority,
                                                              std::shared_ptr<Policy>& policy) noexcept {
  Permit permit = SlotPermits<Core>::try_acquire(core, priority);
  if (permit) {
    PermitAccess::keep_alive(permit, std::move(policy));
  } else {
    PermitAccess::detach(permit, core.source(), 0, coarse_wall_time(core.clock()));
  }
  return permit;
}

}  // namespace detail

FUSEBOX_END_NAMESPACE

// fusebox/call.hpp: Call, what the policies around a call tell the operation.
//
//   call/event.hpp      CallEvent, what on_call() of a policy tells
//   call/priority.hpp   Priority, which calls are shed first
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

#include <fusebox/call/event.hpp>     // IWYU pragma: export
#include <fusebox/call/priority.hpp>  // IWYU pragma: export
#include <fusebox/clock.hpp>
#include <fusebox/detail/idempotency_key.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {
struct CallAccess;

/// A probe of a circuit breaker around a call: whoever gets the Call may be part of it (A9).
struct ProbeMark {
  const void* breaker;
  std::uint32_t generation;
  const ProbeMark* outer;
};
}  // namespace detail

/// What the policies around a call tell the operation: op may take it as a `const Call&` (P2). Valid while
/// the op that got it runs, on the thread that runs it. An op may pass it on to a call inside it, as an
/// option of execute(): the limits around then hold there too, and the call is part of a probe around (A9).
class Call {
 public:
  /// The earliest of all limits around the call; never if there is none. It knows its clock (T6).
  [[nodiscard]] const Deadline& deadline() const noexcept { return deadline_; }
  /// Stopped by the caller, or by a limit around the call.
  [[nodiscard]] StopToken stop_token() const { return token_ != nullptr ? *token_ : StopToken{}; }
  [[nodiscard]] bool stop_requested() const noexcept { return token_ != nullptr && token_->stop_requested(); }
  /// What the caller of execute() said; normal otherwise (P17).
  [[nodiscard]] Priority priority() const noexcept { return priority_; }
  /// 1, 2, …: the attempt of the innermost retry around the call; 1 without a retry.
  [[nodiscard]] int attempt() const noexcept { return attempt_; }
  /// A random UUID, made at the first use, the same for every attempt of the innermost retry around the call.
  /// Without a retry each call has its own. May throw std::bad_alloc.
  [[nodiscard]] const std::string& idempotency_key() const {
    if (!*key_) key_->emplace(detail::make_idempotency_key());
    return **key_;
  }

 private:
  friend struct detail::CallAccess;
  constexpr Call() noexcept = default;
  Call(const Deadline& deadline, const StopToken* token, std::optional<std::string>* key, int attempt,
       bool is_held, Priority priority, const detail::ProbeMark* probe) noexcept
      : deadline_{deadline},
        token_{token},
        key_{key},
        attempt_{attempt},
        is_held_{is_held},
        priority_{priority},
        probe_{probe} {}

  Deadline deadline_;
  const StopToken* token_ = nullptr;
  std::optional<std::string>* key_ = nullptr;  // null only where op cannot ask for it
  int attempt_ = 1;
  bool is_held_ = false;  // the deadline is that of a timeout around the call (D3)
  Priority priority_ = Priority::normal;
  const detail::ProbeMark* probe_ = nullptr;  // the innermost one around the call, if a coroutine is driven
};

static_assert(std::is_trivially_copyable_v<Call>);

namespace detail {

/// How the flow makes Calls.
struct CallAccess {
  [[nodiscard]] static constexpr Call make() noexcept { return {}; }
  /// With the earlier of both deadlines. Member by member: g++ copies a whole Call by a string instruction.
  [[nodiscard]] FUSEBOX_DETAIL_INLINE static Call with_deadline(const Call& outer,
                                                                const Deadline& deadline) noexcept {
    const bool is_earlier = deadline.time() < outer.deadline_.time();
    return {is_earlier ? deadline : outer.deadline_, outer.token_,    outer.key_,  outer.attempt_,
            outer.is_held_ && !is_earlier,           outer.priority_, outer.probe_};
  }
  /// Does a timeout around the call stop op at its deadline, and say TimeoutError?
  [[nodiscard]] static bool is_held(const Call& call) noexcept { return call.is_held_; }
  static void hold(Call& call) noexcept { call.is_held_ = true; }
  [[nodiscard]] FUSEBOX_DETAIL_INLINE static Call with_attempt(const Call& outer, int attempt,
                                                               std::optional<std::string>& key) noexcept {
    return {outer.deadline_, outer.token_, &key, attempt, outer.is_held_, outer.priority_, outer.probe_};
  }
  /// With the key that the call has already.
  struct OuterKey {};
  [[nodiscard]] FUSEBOX_DETAIL_INLINE static Call with_attempt(const Call& outer, int attempt,
                                                               OuterKey /*key*/) noexcept {
    return with_attempt(outer, attempt, *outer.key_);
  }
  static void set_deadline(Call& call, const Deadline& deadline) noexcept { call.deadline_ = deadline; }
  /// The token must outlive the Call.
  static void set_token(Call& call, const StopToken& token) noexcept { call.token_ = &token; }
  static void set_attempt(Call& call, int attempt) noexcept { call.attempt_ = attempt; }
  static void set_key(Call& call, std::optional<std::string>& key) noexcept { call.key_ = &key; }

  static void set_priority(Call& call, Priority priority) noexcept {
    call.priority_ = static_cast<Priority>(detail::index_of(priority));
  }
  static void set_probe(Call& call, const ProbeMark& probe) noexcept { call.probe_ = &probe; }
  [[nodiscard]] static const ProbeMark* probe(const Call& call) noexcept { return call.probe_; }
  [[nodiscard]] static bool has_key(const Call& call) noexcept { return call.key_ != nullptr; }

  /// For a copy of the call that may outlive it: without what lies in the frames around.
  [[nodiscard]] static Call detached(const Call& call, const Deadline& deadline) noexcept {
    return {deadline, nullptr, nullptr, call.attempt_, call.is_held_, call.priority_, nullptr};
  }

  /// Null if nobody can stop the call.
  [[nodiscard]] static const StopToken* token(const Call& call) noexcept { return call.token_; }
  [[nodiscard]] static std::optional<std::string>& key(const Call& call) noexcept { return *call.key_; }

  /// As an A, which is Attempt: only an op that takes one knows it.
  template <class A>
  [[nodiscard]] static A attempt(const Call& call) {
    return {call.attempt_, call.deadline_, call.stop_token(), *call.key_};
  }
};

/// Of a call that nobody limits, and whose op asks for nothing.
inline constexpr Call plain_call = CallAccess::make();

}  // namespace detail

FUSEBOX_END_NAMESPACE

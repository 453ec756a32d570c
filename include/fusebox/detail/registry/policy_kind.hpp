// fusebox/detail/registry/policy_kind.hpp: PolicyKind, how a registry makes and keeps policies of one kind.
#pragma once
// IWYU pragma: private

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Whatever is kept by name specialises it; P has a name(). A specialisation has
///
/// - `Config`, `check(config)`, a Problem, and `config_type`, the name of the type in errors;
/// - `Event`, what on_event() reports, or void;
/// - `make(name, config, clock)`, a std::shared_ptr<P>; throws ConfigError for a name that is refused;
/// - `has_had(policy, config)`: is this config in force, or was it? (G1)
/// - `eviction_kind(policy)`, of one that nobody holds: 0 goes first, then 1; 2 is never evicted (G3);
/// - `stats(policy, ClockReading)`;
/// - unless Event is void: `subscribe(policy, std::shared_ptr<Subscriber<>>)` and
///   `unsubscribe(policy, const Subscriber<>&)`, which is noexcept.
template <class P>
struct PolicyKind;

}  // namespace detail

FUSEBOX_END_NAMESPACE

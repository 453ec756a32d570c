// G4, G5: the types of a registry and of the process-wide functions.
#include <fusebox/registry.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include <fusebox/test/fake_clock.hpp>

namespace {

using namespace fusebox;

template <class Registry>
inline constexpr bool stays_where_it_is =
    !std::is_copy_constructible_v<Registry> && !std::is_move_constructible_v<Registry> &&
    !std::is_copy_assignable_v<Registry> && !std::is_move_assignable_v<Registry>;
static_assert(stays_where_it_is<CircuitBreakerRegistry<>>);
static_assert(stays_where_it_is<CircuitBreakerRegistry<test::FakeClock>>);
static_assert(std::is_same_v<CircuitBreakerRegistry<>, CircuitBreakerRegistry<SystemClock>>);
static_assert(std::is_default_constructible_v<CircuitBreakerRegistry<>>);
static_assert(!std::is_convertible_v<RegistryConfig, CircuitBreakerRegistry<>>);
static_assert(!std::is_constructible_v<CircuitBreakerRegistry<>, RegistryConfig, test::FakeClock>);

using Registry = CircuitBreakerRegistry<test::FakeClock>;
using Handle = std::shared_ptr<CircuitBreaker<test::FakeClock>>;
template <class = void>
Registry& registry();
template <class = void>
const Registry& const_registry();

static_assert(std::is_same_v<decltype(registry().get("name")), Handle>);
static_assert(std::is_same_v<decltype(registry().get(std::string{}, CircuitBreakerConfig{})), Handle>);
static_assert(std::is_same_v<decltype(registry().get(std::string_view{}, {.failure_threshold = 3})), Handle>);
static_assert(std::is_same_v<decltype(const_registry().find("name")), Handle>);
static_assert(std::is_same_v<decltype(registry().remove("name")), bool>);
static_assert(std::is_same_v<decltype(registry().reset("name")), bool>);
static_assert(std::is_same_v<decltype(registry().on_state_change([](const StateChange&) {})), Subscription>);
using AllStats = std::map<std::string, CircuitBreakerStats>;
static_assert(std::is_same_v<decltype(const_registry().stats()), AllStats>);
static_assert(std::is_same_v<decltype(const_registry().clock()), const test::FakeClock&>);
static_assert(std::is_same_v<decltype(const_registry().config()), const RegistryConfig&>);

static_assert(std::is_same_v<decltype(registry().configure("a-*", {.failure_threshold = 3})), void>);
static_assert(std::is_same_v<decltype(registry().configure({.max_breakers = 3})), void>);

// A const registry makes no breakers.
template <class R>
concept GivesBreakers = requires(R& one) { one.get("name"); };
static_assert(GivesBreakers<Registry> && !GivesBreakers<const Registry>);

static_assert(std::is_same_v<decltype(default_registry()), CircuitBreakerRegistry<>&>);
using DefaultHandle = std::shared_ptr<CircuitBreaker<>>;
static_assert(std::is_same_v<decltype(get_circuit_breaker("name")), DefaultHandle>);
static_assert(std::is_same_v<decltype(get_circuit_breaker("name", {.success_threshold = 1})), DefaultHandle>);
static_assert(std::is_same_v<decltype(get_all_circuit_breaker_stats()), AllStats>);
static_assert(std::is_same_v<decltype(reset_circuit_breaker("name")), bool>);
static_assert(std::is_same_v<decltype(reset_all_circuit_breakers()), void>);
static_assert(std::is_same_v<decltype(configure_default_registry({.max_breakers = 3})), void>);

}  // namespace

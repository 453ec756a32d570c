// A subscriber of a registry is told a StateChange.
// expect: on_state_change takes a callback.const StateChange&.
#include <fusebox/registry.hpp>

#ifdef FUSEBOX_COMPILE_FAIL
inline const auto subscription = fusebox::default_registry().on_state_change([] {});
#else
inline const auto subscription =
    fusebox::default_registry().on_state_change([](const fusebox::StateChange&) {});
#endif

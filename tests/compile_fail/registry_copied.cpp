// A registry is one thing.
// expect: (use of deleted function|call to deleted constructor).*CircuitBreakerRegistry
#include <fusebox/registry.hpp>

#ifdef FUSEBOX_COMPILE_FAIL
inline auto registry = fusebox::default_registry();
#else
inline auto& registry = fusebox::default_registry();
#endif

// A function that draws numbers has no range.
// expect: with_random takes a UniformRandomBitGenerator
#include <fusebox/retry.hpp>

#include <random>

#ifdef FUSEBOX_COMPILE_FAIL
const auto source = fusebox::with_random([] { return 4u; });
#else
const auto source = fusebox::with_random(std::mt19937{});
#endif

// The compile time of including breaker and retry: see scripts/bench.py.
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/retry.hpp>

// L3 With FUSEBOX_SINGLE_HEADER a header of the library is the single one.
#include <fusebox/retry.hpp>

#ifndef FUSEBOX_SINGLE_HEADER
#error "the tests do not run over the single header"
#endif
#ifdef FUSEBOX_SINGLE_CORO
#error "nobody asked for coro.hpp"
#endif

static_assert(fusebox::RetryConfig{}.max_retries >= 0);

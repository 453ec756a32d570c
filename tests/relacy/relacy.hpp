// relacy/relacy.hpp: Relacy without the macros of its umbrella header, which turn new, free, assert and the
// names of memory orders into its own. What must not see its other names is included before.
#pragma once

#include <fusebox/bulkhead.hpp>
#include <fusebox/circuit_breaker.hpp>

#include <relacy/atomic.hpp>
#include <relacy/atomic_fence.hpp>
#include <relacy/base.hpp>
#include <relacy/context.hpp>
#include <relacy/context_base_impl.hpp>
#include <relacy/stdlib/condition_variable.hpp>
#include <relacy/stdlib/event.hpp>
#include <relacy/stdlib/mutex.hpp>
#include <relacy/stdlib/semaphore.hpp>
#include <relacy/test_suite.hpp>
#include <relacy/var.hpp>

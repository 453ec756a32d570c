// support/boost_unwinding.hpp: exceptions with the names of those by which Boost unwinds a fiber.
#pragma once

// NOLINTBEGIN(readability-identifier-naming)
namespace boost::context::detail {
struct forced_unwind {};
}  // namespace boost::context::detail

namespace boost::coroutines::detail {
struct forced_unwind {};
}  // namespace boost::coroutines::detail
// NOLINTEND(readability-identifier-naming)

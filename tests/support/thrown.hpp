// support/thrown.hpp: the Failure of an exception, and the exception of a call.
#pragma once

#include <fusebox/failure.hpp>

#include <exception>

namespace support {

template <class E>
fusebox::Failure thrown(const E& error) {
  try {
    throw error;
  } catch (...) {
    return fusebox::Failure::from_current_exception();
  }
}

/// What f throws; null if it throws nothing.
template <class F>
std::exception_ptr exception_of(F f) {
  try {
    f();
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

}  // namespace support

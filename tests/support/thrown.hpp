// support/thrown.hpp: the Failure of an exception.
#pragma once

#include <fusebox/failure.hpp>

namespace support {

template <class E>
fusebox::Failure thrown(const E& error) {
  try {
    throw error;
  } catch (...) {
    return fusebox::Failure::from_current_exception();
  }
}

}  // namespace support

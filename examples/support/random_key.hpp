// support/random_key.hpp: keys by which a receiver recognises a repetition.
#pragma once

#include <random>
#include <string>

#include <fmt/format.h>

namespace support {

/// 128 random bits as 32 hexadecimal digits.
inline std::string random_key() {
  std::random_device random;
  std::string key;
  for (int part = 0; part < 4; ++part) key += fmt::format("{:08x}", random());
  return key;
}

}  // namespace support

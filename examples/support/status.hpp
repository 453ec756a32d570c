// support/status.hpp: tells an answer that reports success from the others.
#pragma once

namespace support {

/// Only a final 2xx reports success. A redirect (3xx) has done nothing yet, and below 200 an answer is not
/// the final one.
constexpr bool is_success(int status) { return status >= 200 && status < 300; }

}  // namespace support

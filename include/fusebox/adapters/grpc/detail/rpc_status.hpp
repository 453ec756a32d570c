// fusebox/adapters/grpc/detail/rpc_status.hpp: the wait in a google.rpc.Status, in protobuf's wire format
// (H52).
//
// The details of a grpc::Status are the bytes of
//
//   google.rpc.Status       { int32 code = 1; string message = 2; repeated google.protobuf.Any details = 3; }
//   google.protobuf.Any     { string type_url = 1; bytes value = 2; }
//   google.rpc.RetryInfo    { google.protobuf.Duration retry_delay = 1; }
//   google.protobuf.Duration { int64 seconds = 1; int32 nanos = 2; }
//
// They come from the network: every length is checked against what is there, and nothing recurses. Needs no
// gRPC.
#pragma once
// IWYU pragma: private, include <fusebox/adapters/grpc.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// One field of a message: a number, or bytes.
struct WireField {
  std::uint64_t number = 0;
  bool is_bytes = false;
  bool is_varint = false;
  std::uint64_t value = 0;  ///< of a varint
  std::string_view bytes;
};

/// Reads the fields of one message from front to back.
class WireReader {
 public:
  explicit constexpr WireReader(std::string_view message) noexcept : rest_{message} {}

  /// False at the end, and at what is no protobuf: see is_valid().
  [[nodiscard]] constexpr bool next(WireField& field) noexcept {
    if (rest_.empty() || !is_valid_) return false;
    is_valid_ = read(field);
    return is_valid_;
  }
  [[nodiscard]] constexpr bool is_valid() const noexcept { return is_valid_; }

 private:
  [[nodiscard]] constexpr bool read(WireField& field) noexcept {
    std::uint64_t key = 0;
    if (!varint(key)) return false;
    field = {};
    field.number = key >> 3U;
    if (field.number == 0 || field.number > 536'870'911) return false;
    switch (key & 7U) {
      case 0: field.is_varint = true; return varint(field.value);
      case 1: return skip(8);
      case 2: {
        std::uint64_t size = 0;
        if (!varint(size) || size > rest_.size()) return false;
        field.is_bytes = true;
        field.bytes = rest_.substr(0, static_cast<std::size_t>(size));
        return skip(field.bytes.size());
      }
      case 5: return skip(4);
      default: return false;  // groups, which these messages do not have, and unknown types
    }
  }

  [[nodiscard]] constexpr bool varint(std::uint64_t& value) noexcept {
    value = 0;
    for (unsigned shift = 0; shift < 70 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      if (shift == 63 && byte > 1) return false;  // more than 64 bits
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  [[nodiscard]] constexpr bool skip(std::size_t size) noexcept {
    if (size > rest_.size()) return false;
    rest_.remove_prefix(size);
    return true;
  }

  std::string_view rest_;
  bool is_valid_ = true;
};

inline constexpr std::string_view retry_info_type = "type.googleapis.com/google.rpc.RetryInfo";

/// The wait of a Duration, rounded up to milliseconds; saturates. Nothing for a negative one.
[[nodiscard]] constexpr std::optional<std::chrono::milliseconds> read_duration(
    std::string_view message) noexcept {
  WireReader reader{message};
  std::int64_t seconds = 0;
  std::int64_t nanos = 0;
  for (WireField field; reader.next(field);) {
    if (!field.is_varint) continue;
    if (field.number == 1) seconds = static_cast<std::int64_t>(field.value);
    if (field.number == 2) nanos = static_cast<std::int64_t>(field.value);
  }
  if (!reader.is_valid() || seconds < 0 || nanos < 0 || nanos > 999'999'999) return std::nullopt;
  using Milliseconds = std::chrono::milliseconds;
  constexpr auto most = std::numeric_limits<Milliseconds::rep>::max();
  if (seconds > most / 1000 - 1) return Milliseconds{most};
  return Milliseconds{seconds * 1000 + (nanos + 999'999) / 1'000'000};
}

/// The wait of an Any, if it is a RetryInfo.
[[nodiscard]] constexpr std::optional<std::chrono::milliseconds> read_retry_info(
    std::string_view any) noexcept {
  WireReader reader{any};
  std::string_view type;
  std::string_view value;
  for (WireField field; reader.next(field);) {
    if (!field.is_bytes) continue;
    if (field.number == 1) type = field.bytes;
    if (field.number == 2) value = field.bytes;
  }
  const auto slash = type.rfind('/');
  if (!reader.is_valid() || slash == std::string_view::npos ||
      type.substr(slash + 1) != "google.rpc.RetryInfo") {
    return std::nullopt;
  }
  std::optional<std::chrono::milliseconds> delay;
  WireReader info{value};
  for (WireField field; info.next(field);) {
    if (field.is_bytes && field.number == 1) delay = detail::read_duration(field.bytes);
  }
  return info.is_valid() ? delay : std::nullopt;
}

/// The longest wait of the RetryInfos in a google.rpc.Status; nothing if there is none, and for bytes that
/// are no protobuf.
[[nodiscard]] constexpr std::optional<std::chrono::milliseconds> read_retry_delay(
    std::string_view status) noexcept {
  std::optional<std::chrono::milliseconds> longest;
  WireReader reader{status};
  for (WireField field; reader.next(field);) {
    if (!field.is_bytes || field.number != 3) continue;
    const auto delay = detail::read_retry_info(field.bytes);
    if (delay && (!longest || *delay > *longest)) longest = delay;
  }
  return reader.is_valid() ? longest : std::nullopt;
}

inline void write_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) out.push_back(static_cast<char>(value | 0x80U));
  out.push_back(static_cast<char>(value));
}

inline void write_number(std::string& out, unsigned field, std::uint64_t value) {
  if (value == 0) return;
  detail::write_varint(out, field << 3U);
  detail::write_varint(out, value);
}

inline void write_bytes(std::string& out, unsigned field, std::string_view bytes) {
  detail::write_varint(out, field << 3U | 2U);
  detail::write_varint(out, bytes.size());
  out.append(bytes);
}

/// A google.rpc.Status with a RetryInfo. `delay` is not negative.
[[nodiscard]] inline std::string write_rpc_status(int code, std::string_view message,
                                                  std::chrono::milliseconds delay) {
  constexpr std::int64_t longest = 315'576'000'000;  // seconds that a Duration may have
  const std::int64_t seconds = delay.count() / 1000;
  std::string duration;
  detail::write_number(duration, 1, static_cast<std::uint64_t>(seconds < longest ? seconds : longest));
  if (seconds < longest) {
    detail::write_number(duration, 2, static_cast<std::uint64_t>(delay.count() % 1000 * 1'000'000));
  }
  std::string info;
  detail::write_bytes(info, 1, duration);
  std::string any;
  detail::write_bytes(any, 1, retry_info_type);
  detail::write_bytes(any, 2, info);
  std::string status;
  detail::write_number(status, 1, static_cast<std::uint64_t>(code));
  detail::write_bytes(status, 2, message);
  detail::write_bytes(status, 3, any);
  return status;
}

/// What a grpc-retry-pushback-ms says (gRFC A6): a signed 32-bit number without leading zeros. Negative for a
/// text that is no such number: then the server asks for no retry at all.
[[nodiscard]] constexpr std::chrono::milliseconds read_pushback(std::string_view text) noexcept {
  constexpr std::chrono::milliseconds never{-1};
  if (text.empty() || text.size() > 10 || (text.size() > 1 && text.front() == '0')) return never;
  std::int64_t value = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return never;
    value = value * 10 + (digit - '0');
  }
  return value > std::numeric_limits<std::int32_t>::max() ? never : std::chrono::milliseconds{value};
}

}  // namespace detail

FUSEBOX_END_NAMESPACE

// support/expected.hpp: a result type of the std::expected kind, which C++20 has not.
#pragma once

#include <optional>
#include <utility>

namespace support {

template <class E>
struct Unexpected {
  E error;
  explicit Unexpected(E what) : error{std::move(what)} {}
};

/// Holds a T or an E, as std::expected and tl::expected do.
template <class T, class E>
class Expected {
 public:
  using value_type = T;
  using error_type = E;
  using unexpected_type = Unexpected<E>;

  Expected(T value) : value_{std::move(value)} {}                              // NOLINT(*-explicit-*)
  Expected(Unexpected<E> unexpected) : error_{std::move(unexpected.error)} {}  // NOLINT(*-explicit-*)

  [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  [[nodiscard]] const T& value() const { return value_.value(); }
  [[nodiscard]] const T& operator*() const { return *value_; }
  [[nodiscard]] const E& error() const { return error_.value(); }

 private:
  std::optional<T> value_;
  std::optional<E> error_;
};

}  // namespace support

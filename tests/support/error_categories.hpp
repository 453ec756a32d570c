// support/error_categories.hpp: std::error_categories of other libraries.
#pragma once

#include <string>
#include <system_error>

namespace support {

/// Of which only the name is known.
class NamedCategory : public std::error_category {
 public:
  explicit NamedCategory(const char* name) : name_{name} {}
  [[nodiscard]] const char* name() const noexcept override { return name_; }
  [[nodiscard]] std::string message(int) const override { return name_; }

 private:
  const char* name_;
};

/// The POSIX twin of each error of the two categories below: 1 to 4, any other number has none.
[[nodiscard]] inline std::error_condition posix_twin(int value, const std::error_category& category) {
  switch (value) {
    case 1: return std::errc::operation_canceled;
    case 2: return std::errc::timed_out;
    case 3: return std::errc::connection_refused;
    case 4: return std::errc::connection_reset;
    default: return {value, category};
  }
}

/// Names the twin by default_error_condition().
class MappedCategory final : public NamedCategory {
 public:
  MappedCategory() : NamedCategory{"mapped"} {}
  [[nodiscard]] std::error_condition default_error_condition(int value) const noexcept override {
    return posix_twin(value, *this);
  }
};

/// Names the twin by equivalent().
class EquivalentCategory final : public NamedCategory {
 public:
  EquivalentCategory() : NamedCategory{"equivalent"} {}
  [[nodiscard]] bool equivalent(int value, const std::error_condition& condition) const noexcept override {
    return condition == posix_twin(value, *this);
  }
};

/// Of which every number is an error of one ErrorCategory.
class KindCategory final : public NamedCategory {
 public:
  explicit KindCategory(std::error_condition kind) : NamedCategory{"kind"}, kind_{kind} {}
  [[nodiscard]] std::error_condition default_error_condition(int) const noexcept override { return kind_; }

 private:
  std::error_condition kind_;
};

}  // namespace support

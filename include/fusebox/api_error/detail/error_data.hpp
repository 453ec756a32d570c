// fusebox/api_error/detail/error_data.hpp: ErrorState, the data of an ApiError, and Fluent, its with_…
// functions.
//
// Fluent<Derived, Base> gives every error class the with_… functions with its own type as the result,
// so that a CircuitOpenError stays one. Everything that a copy needs is shared, so copying never throws.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fusebox/api_error/details.hpp>
#include <fusebox/error_code.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI {

namespace detail {

/// The text of an error. what() ends at a NUL, so that U+FFFD stands in for one.
[[nodiscard]] inline std::runtime_error error_text(std::string_view text) {
  std::string shown{text};
  for (auto nul = shown.find('\0'); nul != std::string::npos; nul = shown.find('\0', nul)) {
    shown.replace(nul, 1, "\xEF\xBF\xBD");
  }
  return std::runtime_error{shown};
}

/// Who rejects: the policy's name and the text of its error, made once for all rejections of a policy.
struct FUSEBOX_API Origin {
  std::string name;
  std::runtime_error text;
};

class FUSEBOX_API ErrorState : public std::runtime_error {
 public:
  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  [[nodiscard]] ErrorCategory category() const noexcept { return category_; }
  [[nodiscard]] std::string message() const { return what(); }
  /// When the error was made.
  [[nodiscard]] std::chrono::system_clock::time_point timestamp() const noexcept { return timestamp_; }
  /// How long the caller should wait before trying again.
  [[nodiscard]] std::optional<std::chrono::seconds> retry_after() const noexcept { return retry_after_; }
  /// What it is as a std::error_code: the library's own verdicts and network errors keep their
  /// identity here, also when the object was sliced. The ErrorCode where there is nothing better.
  [[nodiscard]] std::error_code reason() const noexcept { return reason_; }
  [[nodiscard]] const ErrorDetails& details() const noexcept { return extras().details; }
  /// Empty where none was given.
  [[nodiscard]] const std::string& request_id() const noexcept { return extras().request_id; }
  /// Empty where none was given.
  [[nodiscard]] const std::string& path() const noexcept { return extras().path; }
  /// True where the error tells of somebody else's answer (E5): not for the eyes of our own clients.
  [[nodiscard]] bool is_upstream() const noexcept { return extras().is_upstream; }
  /// Whose answer it tells of; empty where it is our own.
  [[nodiscard]] const std::string& upstream() const noexcept { return extras().upstream; }

 protected:
  ErrorState(const std::runtime_error& text, ErrorCode code, std::error_code reason,
             std::chrono::system_clock::time_point timestamp) noexcept
      : std::runtime_error{text},
        code_{code},
        category_{category_of(code)},
        timestamp_{timestamp},
        reason_{reason} {}

  struct Extras {
    ErrorDetails details;
    std::string request_id;
    std::string path;
    std::string upstream;
    bool is_upstream = false;
  };

  template <class Change>
  void change_extras(Change change) {
    auto changed = std::make_shared<Extras>(extras());
    change(*changed);
    extras_ = std::move(changed);
  }

  [[nodiscard]] const std::shared_ptr<const Origin>& origin() const noexcept { return origin_; }

 private:
  template <class Derived, class Base>
  friend class Fluent;
  friend class fusebox::RejectedError;
  friend class fusebox::Failure;

  [[nodiscard]] const Extras& extras() const noexcept {
    static const NoDestroy<Extras> none;
    return extras_ ? *extras_ : *none;
  }

  ErrorCode code_;
  ErrorCategory category_;
  std::chrono::system_clock::time_point timestamp_;
  std::optional<std::chrono::seconds> retry_after_;
  std::error_code reason_;
  std::shared_ptr<const Extras> extras_;
  std::shared_ptr<const Origin> origin_;
};

/// The with_… functions: each returns a changed copy of type Derived.
template <class Derived, class Base>
class FUSEBOX_API Fluent : public Base {
 public:
  [[nodiscard]] Derived with_category(ErrorCategory category) const {
    return changed([&](ErrorState& error) { error.category_ = category; });
  }
  [[nodiscard]] Derived with_details(ErrorDetails details) const {
    return with_extra([&](auto& extras) { extras.details = std::move(details); });
  }
  [[nodiscard]] Derived with_request_id(std::string_view request_id) const {
    return with_extra([&](auto& extras) { extras.request_id = request_id; });
  }
  [[nodiscard]] Derived with_path(std::string_view path) const {
    return with_extra([&](auto& extras) { extras.path = path; });
  }
  [[nodiscard]] Derived with_retry_after(std::chrono::seconds retry_after) const {
    return changed([&](ErrorState& error) { error.retry_after_ = retry_after; });
  }
  [[nodiscard]] Derived with_timestamp(std::chrono::system_clock::time_point timestamp) const {
    return changed([&](ErrorState& error) { error.timestamp_ = timestamp; });
  }
  /// Marks the error as telling of the answer of `service` (E5): its text is not shown to our clients.
  [[nodiscard]] Derived from_upstream(std::string_view service) const {
    return with_extra([&](auto& extras) {
      extras.upstream = service;
      extras.is_upstream = true;
    });
  }

 protected:
  template <class... Args>
  explicit Fluent(Args&&... args) : Base(std::forward<Args>(args)...) {}

 private:
  template <class Change>
  [[nodiscard]] Derived changed(Change change) const {
    Derived copy{static_cast<const Derived&>(*this)};
    change(static_cast<ErrorState&>(copy));
    return copy;
  }
  template <class Change>
  [[nodiscard]] Derived with_extra(Change change) const {
    return changed([&](ErrorState& error) { error.change_extras(change); });
  }
};

}  // namespace detail

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI

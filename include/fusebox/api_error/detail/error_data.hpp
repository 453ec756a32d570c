// fusebox/api_error/detail/error_data.hpp: what an ApiError holds (ErrorData), and its with_… functions.
//
// ErrorSetters<Derived, Base> gives each error class with_… functions that return that class, so that a
// changed CircuitOpenError is a CircuitOpenError. Copies share their texts and details, so that copying never
// throws; a with_… function that changes them makes new ones.
#pragma once
// IWYU pragma: private, include <fusebox/api_error.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fusebox/api_error/details.hpp>
#include <fusebox/detail/no_destroy.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/detail/utf8.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/fwd.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The text of an error, as what() shows it (E8).
[[nodiscard]] inline std::runtime_error error_text(std::string_view text) {
  return std::runtime_error{shown_text(text)};
}

/// The text with U+FFFD for each NUL.
[[nodiscard]] inline std::string without_nul(std::string_view text) {
  std::string result{text};
  for (auto nul = result.find('\0'); nul != std::string::npos; nul = result.find('\0', nul)) {
    result.replace(nul, 1, "\xEF\xBF\xBD");
  }
  return result;
}

class Causes;  // of failure/failure.hpp

/// What all rejections of one policy share, so that none of them allocates: their code, the policy's name,
/// the text of the error, and the failures behind them, if any.
struct FUSEBOX_API RejectionSource {
  PolicyErrc reason;
  std::string name;
  std::runtime_error text;
  std::shared_ptr<const std::optional<Failure>> cause = nullptr;
  std::shared_ptr<const Causes> causes = nullptr;  // of a breaker, by generation
};

/// The getters of every error. None of them throws but message(), which copies the text.
class FUSEBOX_API ErrorData : public std::runtime_error {
 public:
  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  [[nodiscard]] ErrorCategory category() const noexcept { return category_; }
  /// The message as it was given; what() shows no control characters of it.
  [[nodiscard]] std::string message() const {
    if (!extras().message.empty()) return extras().message;
    const char* const text = what();  // of a derived type, perhaps
    return text != nullptr ? text : std::runtime_error::what();
  }
  /// When the error was made, by SystemClock or by the clock of the policy that made it.
  [[nodiscard]] std::chrono::system_clock::time_point timestamp() const noexcept { return timestamp_; }
  /// How long the caller should wait before it tries again; empty if unknown.
  [[nodiscard]] std::optional<std::chrono::milliseconds> retry_after() const noexcept { return retry_after_; }
  /// The error as a std::error_code: a PolicyErrc for the library's own verdicts, the transport's code for
  /// a network error, else the ErrorCode. Slicing keeps it.
  [[nodiscard]] std::error_code reason() const noexcept { return reason_; }
  [[nodiscard]] const ErrorDetails& details() const noexcept { return extras().details; }
  /// Empty if not given.
  [[nodiscard]] const std::string& request_id() const noexcept { return extras().request_id; }
  /// Empty if not given.
  [[nodiscard]] const std::string& path() const noexcept { return extras().path; }
  /// True if the error describes the answer of another service (E5), which our own clients must not see.
  [[nodiscard]] bool is_upstream() const noexcept { return extras().is_upstream; }
  /// The name of that service; empty for an error of our own.
  [[nodiscard]] const std::string& upstream() const noexcept { return extras().upstream; }

 protected:
  ErrorData(const std::runtime_error& text, ErrorCode code, std::error_code reason,
            std::chrono::system_clock::time_point timestamp) noexcept
      : std::runtime_error{text},
        code_{code},
        category_{category_of(code)},
        timestamp_{timestamp},
        reason_{reason} {}

  /// What most errors do not have.
  struct Extras {
    std::string message;  ///< if it is not what() in full
    ErrorDetails details;
    std::string request_id;
    std::string path;
    std::string upstream;
    bool is_upstream = false;
    bool is_made_from_value = false;  ///< see MadeFromValue
  };

  template <class Change>
  void change_extras(Change change) {
    auto changed = std::make_shared<Extras>(extras());
    change(*changed);
    extras_ = std::move(changed);
  }

  void keep_message(std::string_view message) {
    if (message == std::runtime_error::what()) return;
    change_extras([&](Extras& extras) { extras.message = without_nul(message); });
  }

  [[nodiscard]] const std::shared_ptr<const RejectionSource>& source() const noexcept { return source_; }
  [[nodiscard]] std::uint32_t generation() const noexcept { return generation_; }

 private:
  template <class Derived, class Base>
  friend class ErrorSetters;
  friend class fusebox::RejectedError;
  friend class fusebox::CircuitOpenError;
  friend class fusebox::CancelledError;
  friend class fusebox::Failure;
  friend struct MadeFromValue;

  [[nodiscard]] const Extras& extras() const noexcept {
    static const NoDestroy<Extras> none;
    return extras_ ? *extras_ : *none;
  }

  ErrorCode code_;
  ErrorCategory category_;
  std::chrono::system_clock::time_point timestamp_;
  std::optional<std::chrono::milliseconds> retry_after_;
  std::error_code reason_;
  std::shared_ptr<const Extras> extras_;
  std::shared_ptr<const RejectionSource> source_;
  std::uint32_t generation_ = 0;  // of the breaker that rejected the call
};

/// Marks an error that Failure::rethrow() makes of a value: no program wrote it for a client (H4). Copies
/// keep the mark.
struct MadeFromValue {
  static void mark(ErrorData& error) {
    error.change_extras([](auto& extras) { extras.is_made_from_value = true; });
  }
  [[nodiscard]] static bool is_marked(const ErrorData& error) noexcept {
    return error.extras().is_made_from_value;
  }
};

/// The with_… functions: each returns a changed copy of type Derived, and may throw std::bad_alloc.
template <class Derived, class Base>
class FUSEBOX_API ErrorSetters : public Base {
 public:
  [[nodiscard]] Derived with_category(ErrorCategory category) const {
    return changed([&](ErrorData& error) { error.category_ = category; });
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
  /// Any duration, rounded up to milliseconds; one that they cannot hold saturates (E7).
  template <class Rep, class Period>
  [[nodiscard]] Derived with_retry_after(std::chrono::duration<Rep, Period> retry_after) const {
    return changed([&](ErrorData& error) { error.retry_after_ = to_milliseconds(retry_after); });
  }
  [[nodiscard]] Derived with_timestamp(std::chrono::system_clock::time_point timestamp) const {
    return changed([&](ErrorData& error) { error.timestamp_ = timestamp; });
  }
  /// Marks the error as the answer of `service` (E5): send_exception does not show it to our clients.
  [[nodiscard]] Derived from_upstream(std::string_view service) const {
    return with_extra([&](auto& extras) {
      extras.upstream = service;
      extras.is_upstream = true;
    });
  }

 protected:
  template <class... Args>
  explicit ErrorSetters(Args&&... args) : Base(std::forward<Args>(args)...) {}

 private:
  template <class Change>
  [[nodiscard]] Derived changed(Change change) const {
    Derived copy{static_cast<const Derived&>(*this)};
    change(static_cast<ErrorData&>(copy));
    return copy;
  }
  template <class Change>
  [[nodiscard]] Derived with_extra(Change change) const {
    return changed([&](ErrorData& error) { error.change_extras(change); });
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

// fusebox/pipeline/call_result.hpp: CallResult, the value of a call or its Failure.
#pragma once
// IWYU pragma: private, include <fusebox/pipeline.hpp>

#include <concepts>
#include <memory>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

#include <fusebox/detail/flow/drive.hpp>
#include <fusebox/detail/flow/result.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/no_destroy.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// What try_execute() and PipelineRun::try_result() return: the value of a call, or the Failure that ended
/// it. If op returned a failed value, such as an expected that holds an error, value() gives it though
/// has_value() is false. As safe to share between threads as its value.
template <class T>
class CallResult : public detail::ValueAccess<CallResult<T>, T> {
  static constexpr bool is_void = std::is_void_v<T>;
  static constexpr bool not_void = !is_void;

 public:
  using value_type = T;

  /// No value, and a failure without a code: for frameworks that need an object before the result is there.
  CallResult() : failure_{std::in_place, std::error_code{}} {}

  [[nodiscard]] bool has_value() const noexcept { return !failure_; }
  [[nodiscard]] explicit operator bool() const noexcept
    requires(!std::is_same_v<std::remove_cvref_t<T>, bool>)
  {
    return has_value();
  }

  /// Why there is no value; a failure without a code if there is one.
  [[nodiscard]] const Failure& error() const noexcept {
    static const detail::NoDestroy<Failure> none{std::error_code{}};
    return failure_ ? *failure_ : *none;
  }

 private:
  template <class... Parts>
  friend class Pipeline;
  template <class U>
  friend class AnyPipeline;
  template <class U, class Rule, class... Parts>
  friend class PipelineRun;
  template <class U>
  friend class CallResult;
  friend class detail::ValueAccess<CallResult, T>;

  struct Empty {};
  explicit CallResult(Empty) noexcept {}

  /// Takes what the call left.
  template <class Slot>
  CallResult(detail::Verdict verdict, Slot& slot) {
    if (!detail::has_value(verdict)) {
      failure_.emplace(slot.base().failure());
      if (is_void || slot.base().is_own() || !slot.has_value()) return;
    }
    if constexpr (not_void) {
      const auto take = [&]() -> T { return slot.take(); };
      value_.emplace(std::in_place, take);
    }
  }

  /// The same with a value that converts to a U.
  template <class U>
  [[nodiscard]] CallResult<U> as() && {
    if constexpr (std::is_same_v<T, U>) {
      return std::move(*this);
    } else {
      CallResult<U> other{typename CallResult<U>::Empty{}};
      other.failure_ = std::move(failure_);
      if constexpr (not_void && !std::is_void_v<U>) {
        const auto convert = [&]() -> U { return static_cast<U>(std::forward<T>(value_->get())); };
        if (value_) other.value_.emplace(std::in_place, convert);
      }
      return other;
    }
  }

  template <class Self>
  [[nodiscard]] static decltype(auto) get(Self& self) {
    if constexpr (is_void) {
      if (self.failure_) detail::rethrow_or_abort(*self.failure_);
    } else {
      if (!self.value_) [[unlikely]]
        detail::rethrow_or_abort(*self.failure_);
      if constexpr (std::is_reference_v<T>) {
        return static_cast<T>(self.value_->get());
      } else {
        return (self.value_->get());
      }
    }
  }

  struct Nothing {};
  std::optional<Failure> failure_;
  [[no_unique_address]] std::conditional_t<is_void, Nothing, std::optional<detail::ResultStorage<T>>> value_;
};

FUSEBOX_END_NAMESPACE

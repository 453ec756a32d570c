// fusebox/failure/detail/rejections.hpp: how policies make their rejections, as errors and as Failures.
#pragma once
// IWYU pragma: private, include <fusebox/failure.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The rejections of one policy, which share its source, so that none of them allocates. Only a breaker's
/// have a generation.
struct PolicyRejection {
  /// `Error` is the policy's, such as BulkheadFullError.
  template <class Error>
  [[nodiscard]] static std::shared_ptr<const RejectionSource> source(std::string_view name) {
    return Error::source_for(name);
  }

  [[nodiscard]] static RejectedError error(std::shared_ptr<const RejectionSource> source,
                                           std::optional<std::chrono::milliseconds> retry_after,
                                           std::chrono::system_clock::time_point timestamp,
                                           std::uint32_t generation = 0) {
    return {std::move(source), retry_after, timestamp, generation};
  }

  [[nodiscard]] static Failure failure(std::shared_ptr<const RejectionSource> source,
                                       std::optional<std::chrono::milliseconds> retry_after,
                                       std::chrono::system_clock::time_point timestamp,
                                       std::uint32_t generation = 0) {
    Failure failure;
    failure.code_ = make_error_code(source->reason);
    failure.source_ = std::move(source);
    failure.retry_after_ = retry_after;
    failure.timestamp_ = timestamp;
    failure.generation_ = generation;
    return failure;
  }
};

/// A circuit breaker's rejections.
struct CircuitRejection {
  /// `state` ends the text: " is open".
  [[nodiscard]] static std::shared_ptr<const RejectionSource> source(
      std::string_view name, std::string_view state = " is open",
      std::shared_ptr<const Causes> causes = nullptr) {
    return CircuitOpenError::source_for(name, state, std::move(causes));
  }

  [[nodiscard]] static CircuitOpenError error(const std::shared_ptr<const RejectionSource>& source,
                                              std::optional<std::chrono::milliseconds> retry_after,
                                              std::chrono::system_clock::time_point timestamp,
                                              std::uint32_t generation) {
    return {source, retry_after, timestamp, generation};
  }

  [[nodiscard]] static Failure failure(std::shared_ptr<const RejectionSource> source,
                                       std::chrono::milliseconds retry_after,
                                       std::chrono::system_clock::time_point timestamp,
                                       std::uint32_t generation) {
    return PolicyRejection::failure(std::move(source), retry_after, timestamp, generation);
  }
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

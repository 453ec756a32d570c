// fusebox/failure/detail/causes.hpp: the failures behind a breaker's last openings (B18).
#pragma once
// IWYU pragma: private, include <fusebox/failure.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <fusebox/detail/macros.hpp>
#include <fusebox/fwd.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The failure behind a transition; null if it is not known. Never an empty optional.
using Cause = std::shared_ptr<const std::optional<Failure>>;

/// The causes of a breaker's last openings. An error of a rejection looks its own up when somebody asks, by
/// the generation in which the call was rejected; so a rejection itself only copies a number. Thread-safe.
class FUSEBOX_API Causes {
 public:
  void put(std::uint32_t generation, Cause cause) noexcept {
    const std::lock_guard lock{mutex_};
    openings_[next_] = {generation, std::move(cause)};
    next_ = (next_ + 1) % openings_.size();
  }
  /// Of the last opening up to that generation; null also if it is too long ago.
  [[nodiscard]] Cause at(std::uint32_t generation) const noexcept {
    const std::lock_guard lock{mutex_};
    for (std::size_t back = 1; back <= openings_.size(); ++back) {
      const Opening& opening = openings_[(next_ + openings_.size() - back) % openings_.size()];
      // As a signed difference, since generations wrap around.
      if (static_cast<std::int32_t>(generation - opening.generation) >= 0) return opening.cause;
    }
    return nullptr;
  }

 private:
  struct Opening {
    std::uint32_t generation = 0;
    Cause cause;
  };

  mutable std::mutex mutex_;
  std::array<Opening, 8> openings_;
  std::size_t next_ = 0;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

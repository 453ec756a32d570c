// fusebox/subscription.hpp: Subscription, which keeps a callback subscribed while it lives.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include <fusebox/detail/subscriber.hpp>

FUSEBOX_BEGIN_NAMESPACE

class Subscription;

namespace detail {
[[nodiscard]] Subscription make_subscription(std::shared_ptr<Subscriber<>> subscriber) noexcept;
[[nodiscard]] Subscription make_subscription(std::vector<std::shared_ptr<Subscriber<>>> subscribers) noexcept;
}  // namespace detail

/// Returned by on_event(), on_state_change() and kin; its destructor ends the subscription. Afterwards the
/// callback is not called any more: the destructor waits for calls on other threads to return. It does not
/// wait for a call on its own thread, so a callback may end its own subscription. Valid after its breaker or
/// registry is gone. A Subscription is not thread-safe: only one thread at a time may use it.
class [[nodiscard]] Subscription {
 public:
  /// No subscription.
  Subscription() noexcept = default;
  Subscription(Subscription&&) noexcept = default;
  Subscription& operator=(Subscription&& other) noexcept {
    if (this != &other) {
      unsubscribe();
      subscriber_ = std::move(other.subscriber_);
      others_ = std::move(other.others_);
    }
    return *this;
  }
  ~Subscription() { unsubscribe(); }

  /// Ends the subscription now, as the destructor does.
  void unsubscribe() noexcept {
    if (const auto subscriber = std::move(subscriber_)) subscriber->stop();
    const auto others = std::exchange(others_, {});
    for (const auto& subscriber : others) subscriber->stop();
  }

 private:
  friend Subscription detail::make_subscription(std::shared_ptr<detail::Subscriber<>> subscriber) noexcept;
  friend Subscription detail::make_subscription(
      std::vector<std::shared_ptr<detail::Subscriber<>>> subscribers) noexcept;
  explicit Subscription(std::shared_ptr<detail::Subscriber<>> subscriber) noexcept
      : subscriber_{std::move(subscriber)} {}

  std::shared_ptr<detail::Subscriber<>> subscriber_;
  std::vector<std::shared_ptr<detail::Subscriber<>>> others_;  // of a subscription to events of several types
};

namespace detail {
inline Subscription make_subscription(std::shared_ptr<Subscriber<>> subscriber) noexcept {
  return Subscription{std::move(subscriber)};
}
/// Ends all of them together.
inline Subscription make_subscription(std::vector<std::shared_ptr<Subscriber<>>> subscribers) noexcept {
  Subscription all;
  all.others_ = std::move(subscribers);
  return all;
}
}  // namespace detail

FUSEBOX_END_NAMESPACE

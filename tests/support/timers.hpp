// support/timers.hpp: limits that are armed by hand.
#pragma once

#include <fusebox/detail/timer/node.hpp>

#include <functional>
#include <memory>
#include <stop_token>
#include <utility>

namespace support {

[[nodiscard]] inline fusebox::detail::TimerNode node_with_source() {
  fusebox::detail::TimerNode node;
  node.source = std::stop_source{};
  return node;
}

using OnStop = std::stop_callback<std::function<void()>>;

/// Calls f when the node is stopped.
template <class F>
[[nodiscard]] std::unique_ptr<OnStop> on_stop(const fusebox::detail::TimerNode& node, F f) {
  return std::make_unique<OnStop>(node.source.get_token(), std::move(f));
}

}  // namespace support

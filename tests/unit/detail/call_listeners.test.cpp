#include <fusebox/circuit_breaker.hpp>
#include <fusebox/detail/call_listeners.hpp>

#include <memory>
#include <string>

#include "catch.hpp"

using namespace fusebox;
using Listeners = detail::CallListeners<detail::StdSync>;

TEST_CASE("B18 listeners hear calls in the order of their subscriptions, until they are stopped", "[B18]") {
  Listeners listeners;
  std::string log;
  const auto add = [&](char name) {
    auto subscriber = detail::make_subscriber<CallEvent>([&log, name](const CallEvent&) { log += name; });
    listeners.add(subscriber);
    return subscriber;
  };
  CHECK_FALSE(listeners.has_active());
  CHECK(listeners.active() == nullptr);
  const auto a = add('a');
  const auto b = add('b');
  CHECK(listeners.has_active());
  Listeners::deliver(*listeners.active(), CallEvent{});
  CHECK(log == "ab");
  a->stop();
  Listeners::deliver(*listeners.active(), CallEvent{});
  CHECK(log == "abb");
  const auto c = add('c');
  CHECK(listeners.active()->size() == 2);  // the stopped one is dropped
  b->stop();
  c->stop();
  CHECK_FALSE(listeners.has_active());
  CHECK(listeners.active() == nullptr);
}

TEST_CASE("B18 a list that is being delivered is not changed by a new subscription", "[B18]") {
  Listeners listeners;
  int late = 0;
  const auto first = detail::make_subscriber<CallEvent>([&](const CallEvent&) {
    listeners.add(detail::make_subscriber<CallEvent>([&](const CallEvent&) { ++late; }));
  });
  listeners.add(first);
  const auto list = listeners.active();
  Listeners::deliver(*list, CallEvent{});
  CHECK(late == 0);
  CHECK(list->size() == 1);
  CHECK(listeners.active()->size() == 2);
}

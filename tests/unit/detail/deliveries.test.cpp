#include <fusebox/detail/deliveries.hpp>
#include <fusebox/detail/subscriber.hpp>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "catch.hpp"

using namespace fusebox;
using Deliveries = detail::Deliveries<detail::StdSync>;

namespace {

/// A hub whose one event runs `callback`.
class Source final : public detail::Delivery, public std::enable_shared_from_this<Source> {
 public:
  explicit Source(Deliveries& deliveries, std::function<void(Source&)> callback)
      : deliveries_{deliveries}, callback_{std::move(callback)} {}

  [[nodiscard]] std::vector<detail::DueDelivery> drain() {
    deliveries_.begin(*this, __builtin_frame_address(0));
    callback_(*this);
    return deliveries_.end(*this);
  }

 private:
  Deliveries& deliveries_;
  std::function<void(Source&)> callback_;
};

detail::DueDelivery due(const std::shared_ptr<Source>& source) {
  return {source, [](detail::Delivery& delivery, std::vector<detail::DueDelivery>& postponed) {
            postponed = static_cast<Source&>(delivery).drain();
          }};
}

using Sources = std::vector<const detail::Delivery*>;
Sources drain(Source& source) {
  Sources postponed;
  for (const detail::DueDelivery& one : source.drain()) postponed.push_back(one.delivery.get());
  return postponed;
}

}  // namespace

TEST_CASE("B14 outside every callback nothing is postponed", "[B14]") {
  Deliveries deliveries;
  const auto source = std::make_shared<Source>(deliveries, [](Source&) {});
  CHECK_FALSE(deliveries.postpone(due(source)));
  CHECK(source->drain().empty());
  CHECK_FALSE(deliveries.postpone(due(source)));
  CHECK(source.use_count() == 1);
}

TEST_CASE("B14 what a callback causes is left to its own delivery, in order", "[B14]") {
  Deliveries deliveries;
  const auto a = std::make_shared<Source>(deliveries, [](Source&) {});
  const auto b = std::make_shared<Source>(deliveries, [](Source&) {});
  const auto outer = std::make_shared<Source>(deliveries, [&](Source&) {
    CHECK(deliveries.postpone(due(a)));
    CHECK(deliveries.postpone(due(b)));
  });
  CHECK(drain(*outer) == Sources{a.get(), b.get()});
  CHECK(a.use_count() == 1);
  CHECK(drain(*outer) == Sources{a.get(), b.get()});
}

TEST_CASE("B14 of nested deliveries the innermost takes what its callback causes", "[B14]") {
  Deliveries deliveries;
  const auto caused = std::make_shared<Source>(deliveries, [](Source&) {});
  const auto inner =
      std::make_shared<Source>(deliveries, [&](Source&) { CHECK(deliveries.postpone(due(caused))); });
  const auto outer =
      std::make_shared<Source>(deliveries, [&](Source&) { CHECK(drain(*inner) == Sources{caused.get()}); });
  CHECK(outer->drain().empty());
}

TEST_CASE("B14 what another thread causes meanwhile is not postponed", "[B14]") {
  Deliveries deliveries;
  const auto caused = std::make_shared<Source>(deliveries, [](Source&) {});
  bool postponed = true;
  const auto outer = std::make_shared<Source>(deliveries, [&](Source&) {
    std::thread{[&] { postponed = deliveries.postpone(due(caused)); }}.join();
  });
  CHECK(outer->drain().empty());
  CHECK_FALSE(postponed);
}

TEST_CASE("B14 a subscriber's own callbacks are those that call stop(), the outermost of which destroys it",
          "[B14]") {
  Deliveries deliveries;
  const auto subscriber = detail::make_subscriber<int>([](int) {});
  const auto other = detail::make_subscriber<int>([](int) {});
  std::vector<int> counts;
  const auto inner = std::make_shared<Source>(deliveries, [&](Source& self) {
    deliveries.begin_callback(self, subscriber.get());
    counts = {deliveries.own_callbacks(subscriber.get()), deliveries.own_callbacks(other.get())};
    std::thread{[&] { counts.push_back(deliveries.own_callbacks(subscriber.get())); }}.join();
    CHECK_FALSE(deliveries.end_callback(self));
    counts.push_back(deliveries.own_callbacks(subscriber.get()));
  });
  const auto outer = std::make_shared<Source>(deliveries, [&](Source& self) {
    deliveries.begin_callback(self, subscriber.get());
    CHECK(inner->drain().empty());
    CHECK(deliveries.end_callback(self));
  });
  CHECK(outer->drain().empty());
  CHECK(counts == std::vector{2, 0, 0, 1});
  CHECK(deliveries.own_callbacks(subscriber.get()) == 0);
}

TEST_CASE("B14 a callback is not destroyed for one that was stopped before it", "[B14]") {
  Deliveries deliveries;
  const auto first = detail::make_subscriber<int>([](int) {});
  const auto second = detail::make_subscriber<int>([](int) {});
  const auto source = std::make_shared<Source>(deliveries, [&](Source& self) {
    deliveries.begin_callback(self, first.get());
    CHECK(deliveries.own_callbacks(first.get()) == 1);
    CHECK(deliveries.end_callback(self));
    deliveries.begin_callback(self, second.get());
    CHECK_FALSE(deliveries.end_callback(self));
  });
  CHECK(source->drain().empty());
}

TEST_CASE("B14 deliveries end in any order", "[B14]") {
  Deliveries deliveries;
  std::vector<std::shared_ptr<Source>> sources;
  for (int i = 0; i < 3; ++i) sources.push_back(std::make_shared<Source>(deliveries, [](Source&) {}));
  const int first_ended = GENERATE(0, 1, 2);
  const int frame = 0;
  for (const auto& source : sources) deliveries.begin(*source, &frame);
  for (int i = 0; i < 3; ++i) {
    CHECK(deliveries.end(*sources[static_cast<std::size_t>((first_ended + i) % 3)]).empty());
  }
  CHECK_FALSE(deliveries.postpone(due(sources[0])));
}

TEST_CASE("B14 all that is postponed is delivered, also what that postpones", "[B14]") {
  Deliveries deliveries;
  std::string log;
  const auto c = std::make_shared<Source>(deliveries, [&](Source&) { log += 'c'; });
  const auto b = std::make_shared<Source>(deliveries, [&](Source&) { log += 'b'; });
  const auto a = std::make_shared<Source>(deliveries, [&](Source&) {
    log += 'a';
    CHECK(deliveries.postpone(due(c)));
  });
  const auto outer = std::make_shared<Source>(deliveries, [&](Source&) {
    log += '<';
    CHECK(deliveries.postpone(due(a)));
    CHECK(deliveries.postpone(due(b)));
    log += '>';
  });
  detail::deliver_with_postponed(due(outer));
  CHECK(log == "<>abc");
}

TEST_CASE("B14 a process has one set of deliveries", "[B14]") {
  CHECK(&detail::deliveries_of<detail::StdSync>() == &detail::deliveries_of<detail::StdSync>());
}

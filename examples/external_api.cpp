// examples/external_api.cpp: the guide's third use case: reads a resource of an external API, with retries,
// behind a breaker, with a cached copy as the fallback.
#include <fusebox/adapters/httplib.hpp>
#include <fusebox/fusebox.hpp>

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include <httplib.h>

#include "support/client.hpp"
#include "support/json_answer.hpp"
#include "support/terminal.hpp"
#include "support/times.hpp"
#include "support/upstream.hpp"
#include "support/url.hpp"

using namespace std::chrono_literals;
using support::say;
using support::scene;
using support::Tone;

namespace {

using Resource = std::optional<std::string>;  // its JSON

class Cache {
 public:
  void put(const std::string& id, const std::string& resource) {
    const std::lock_guard lock{mutex_};
    by_id_[id] = resource;
  }
  [[nodiscard]] Resource find(const std::string& id) const {
    const std::lock_guard lock{mutex_};
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? std::nullopt : Resource{found->second};
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> by_id_;
};

class ExternalApi {
 public:
  ExternalApi(support::Url api, support::Times times) : api_{std::move(api)}, times_{times} {}

  /// The resource, or its cached copy if the API fails, or nothing if there is no copy.
  Resource get(const std::string& id) {
    return breaker_->execute(
        [&] {
          support::Url url = api_;
          url.path += id;
          const auto ask = [&] { return support::get(url, times_(10s)); };
          auto answer = fusebox::retry_with_backoff(
              ask, times_(fusebox::retry_presets::standard), fusebox::failure_if(support::no_json),
              fusebox::on_retry(support::say_retry), fusebox::on_give_up(support::say_give_up));
          if (!answer.has_value()) answer.error().rethrow();
          cache_.put(id, (*answer)->body);
          return Resource{(*answer)->body};
        },
        [&](const fusebox::Failure& failure) {
          const Resource copy = cache_.find(id);
          say(Tone::warning, "  {}, since: {}", copy ? "cached copy" : "no copy", failure);
          return copy;
        });
  }

  [[nodiscard]] const fusebox::CircuitBreaker<>& breaker() const { return *breaker_; }

 private:
  support::Url api_;
  support::Times times_;
  Cache cache_;
  std::shared_ptr<fusebox::CircuitBreaker<>> breaker_ =
      fusebox::get_circuit_breaker("external-resource-api", {.failure_threshold = 5,
                                                             .success_threshold = 2,
                                                             .reset_timeout = times_(30s),
                                                             .probe_timeout = times_(60s)});
};

}  // namespace

int main(int argc, char** argv) {
  const support::Times times = support::parse_times(
      argc, argv, "Reads resources from an API that fails in many ways, with cached copies as the fallback.",
      20);
  const auto watch = fusebox::default_registry().on_state_change(support::say_change);

  support::Upstream upstream;
  ExternalApi api{{.host = "api.example", .port = upstream.port(), .path = "/resources/"}, times};
  say(Tone::quiet, "GET http://127.0.0.1:{}/resources/ID, with {}", upstream.port(), times.describe());
  const auto show = [&](const std::string& id) {
    say(Tone::plain, "resource {}", id);
    const Resource resource = api.get(id);
    say(resource ? Tone::good : Tone::bad, "  {}", resource.value_or("null"));
  };

  scene("The API answers, and the answers are cached");
  upstream.play({support::Reply::ok(R"({"id":"apple"})"), support::Reply::ok(R"({"id":"pear"})")});
  show("apple");
  show("pear");
  scene("The resource does not exist: a 404 is an answer: not retried, and no failure to the breaker");
  upstream.play({support::Reply::not_found()});
  show("unicorn");
  scene("It answers with garbage once, then with JSON");
  upstream.play({support::Reply::garbage(), support::Reply::ok(R"({"id":"pear","ripe":true})")});
  show("pear");
  scene("A redirect is no document either");
  upstream.play({support::Reply::moved(), support::Reply::ok(R"({"id":"pear","ripe":true})")});
  show("pear");
  scene("It is busy, and its Retry-After exceeds the longest wait");
  upstream.play({support::Reply::busy(120)});
  show("pear");
  scene("It takes too long");
  upstream.play({support::Reply::slow(2 * times(10s))});
  show("apple");
  scene("It is down: connections are refused; the fifth failure in a row opens the breaker");
  upstream.go_down();
  for (const char* id : {"apple", "pear", "plum"}) show(id);
  scene("Cached copies at once, without a call");
  for (const char* id : {"apple", "pear", "plum"}) show(id);
  scene("It is back: two probes succeed, and the breaker closes");
  upstream.play({support::Reply::ok(R"({"id":"apple"})"), support::Reply::ok(R"({"id":"plum"})")});
  upstream.come_up();
  support::wait_for_probe(api.breaker());
  show("apple");
  show("plum");
  support::say_health();
}

// shop/dependencies.hpp: other services, by libcurl, and a cache in Redis, each under policies.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <curl/curl.h>

#include <fusebox/adapters/curl.hpp>
#include <fusebox/adapters/hiredis.hpp>
#include <fusebox/fusebox.hpp>

namespace shop {

using namespace std::chrono_literals;

/// The key is made with the order, so that the receiver recognises a repetition, even by the next process.
struct Order {
  std::string key;
  std::string document;
};

/// Another service. `host` such as "stock.example:80" is the name of its breaker and its other policies.
class Service {
 public:
  explicit Service(std::string host)
      : host_{std::move(host)},
        calls_{fusebox::standard_pipeline(
            host_, {.bulkhead = {.max_concurrent = 16},
                    .total_timeout = 3s,
                    .retry = {.max_retries = 2, .base_delay = 50ms, .max_delay = 1s},
                    .breaker = {.failure_threshold = 5, .success_threshold = 1, .reset_timeout = 1s},
                    .attempt_timeout = 500ms})} {}

  /// The answer to GET, or to POST if there is an order. Throws what the last attempt left.
  std::string ask(const std::string& path, const Order* order = nullptr, std::stop_token stop = {}) const {
    thread_local fusebox::curl::Handle easy;  // keeps its connections
    std::string body;
    const auto attempt = [&](const fusebox::Call& call) {
      curl_easy_reset(easy.get());  // forgets the headers and the body of the attempt before, which are gone
      curl_easy_setopt(easy.get(), CURLOPT_URL, ("http://" + host_ + path).c_str());
      body.clear();
      fusebox::curl::write_to(easy, body);
      fusebox::curl::Headers headers;
      if (order != nullptr) {
        headers.add("Content-Type: application/json").add("Idempotency-Key: " + order->key).apply(easy);
        const auto size = static_cast<curl_off_t>(order->document.size());
        curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDSIZE_LARGE, size);
        curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDS, order->document.c_str());
      }
      return easy.perform(call);
    };
    const auto answer = calls_.try_execute(attempt, stop);
    if (!answer.has_value()) answer.error().rethrow();
    return body;
  }

 private:
  std::string host_;
  fusebox::StandardPipeline<> calls_;
};

/// The last good answers, for the time `keep`: in Redis and, should Redis be away, 1,000 in this process.
class Cache {
 public:
  Cache(int port, std::chrono::milliseconds keep) : port_{port}, keep_{keep} {}

  void put(const std::string& key, const std::string& value) {
    (void)ask({"SET", key, value, "PX", std::to_string(keep_.count())});
    const std::lock_guard lock{mutex_};
    if (seen_.size() >= 1'000) std::erase_if(seen_, [](auto& one) { return one.second.second.expired(); });
    if (seen_.size() < 1'000 || seen_.contains(key)) seen_[key] = {value, fusebox::Deadline::after(keep_)};
  }
  std::optional<std::string> find(const std::string& key) {
    const auto reply = ask({"GET", key});
    if (reply.has_value() && reply->text()) return std::string{*reply->text()};
    const std::lock_guard lock{mutex_};
    const auto found = seen_.find(key);
    if (found == seen_.end() || found->second.second.expired()) return std::nullopt;
    return found->second.first;
  }

 private:
  fusebox::CallResult<fusebox::redis::Result> ask(const std::vector<std::string_view>& words) {
    thread_local fusebox::redis::Connection redis{{.port = port_}};
    return calls_.try_execute(
        [&](const fusebox::Call& call) { return redis.command(words, call.deadline(), call.stop_token()); });
  }

  int port_;
  std::chrono::milliseconds keep_;
  /// Without a retry: what Redis does not answer at once is not worth a wait.
  fusebox::AnyPipeline<fusebox::redis::Result> calls_ =
      compose(fusebox::get_circuit_breaker(
                  "redis", {.failure_threshold = 3, .success_threshold = 1, .reset_timeout = 1s}),
              fusebox::attempt_timeout(100ms));
  std::mutex mutex_;
  std::map<std::string, std::pair<std::string, fusebox::Deadline>> seen_;
};

}  // namespace shop

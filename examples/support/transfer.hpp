// support/transfer.hpp: a GET request of libcurl's multi interface that can be sent again.
#pragma once

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <utility>

#include <curl/curl.h>

#include <fusebox/adapters/curl.hpp>

namespace support {

/// Rounded up, so that the loop does not wake up too early.
inline int whole_ms(std::chrono::nanoseconds time) {
  const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(time);
  return static_cast<int>(
      std::min(rounded, std::chrono::milliseconds{std::numeric_limits<int>::max()}).count());
}

/// libcurl's multi interface. It must outlive its transfers.
class Multi {
 public:
  Multi() = default;
  Multi(const Multi&) = delete;
  Multi& operator=(const Multi&) = delete;
  ~Multi() {
    curl_multi_cleanup(multi_);
    curl_global_cleanup();
  }
  operator CURLM*() const { return multi_; }

 private:
  CURLcode begun_ = curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM* multi_ = curl_multi_init();
};

class Transfer {
 public:
  /// `owner` is what owner_of() gives for the transfer's messages.
  Transfer(CURLM* multi, const std::string& url, void* owner) : multi_{multi} {
    curl_easy_setopt(easy_.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy_.get(), CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy_.get(), CURLOPT_PRIVATE, owner);
    fusebox::curl::write_to(easy_, body_);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() { curl_multi_remove_handle(multi_, easy_); }

  template <class Owner>
  static Owner& owner_of(const CURLMsg& message) {
    Owner* owner = nullptr;
    curl_easy_getinfo(message.easy_handle, CURLINFO_PRIVATE, &owner);
    return *owner;
  }

  /// Sends the request; the loop then gets a message of its end.
  void start(const fusebox::Deadline& deadline) {
    fusebox::curl::set_deadline(easy_, deadline);
    body_.clear();
    curl_multi_add_handle(multi_, easy_);
  }

  /// It has ended so. Reports the body, or why there is none.
  template <class Run>
  void report(CURLcode code, Run& run) {
    curl_multi_remove_handle(multi_, easy_);
    const auto result = fusebox::curl::result_of(easy_, code);
    if (auto failure = fusebox::failure_traits<fusebox::curl::Result>::failure(result)) {
      run.report(*std::move(failure));
    } else {
      run.report(std::move(body_));
    }
  }

 private:
  CURLM* const multi_;
  fusebox::curl::Handle easy_;
  std::string body_;
};

}  // namespace support

// support/transfer.hpp: a GET request of libcurl's multi interface that can be sent again.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include <curl/curl.h>

#include <fusebox/api_error.hpp>
#include <fusebox/failure.hpp>

namespace support {

/// The failure of a request that got no answer.
inline fusebox::Failure failure_of(CURLcode code) {
  using fusebox::Failure;
  using fusebox::NetworkErrc;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST: return Failure{NetworkErrc::host_not_found};
    case CURLE_COULDNT_CONNECT: return Failure{NetworkErrc::connection_refused};
    case CURLE_OPERATION_TIMEDOUT: return Failure{NetworkErrc::timed_out};
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING: return Failure{NetworkErrc::connection_reset};
    default: return Failure{fusebox::ApiError{fusebox::ErrorCode::bad_gateway, curl_easy_strerror(code)}};
  }
}

/// Rounded up, so that neither the loop wakes up nor a request ends too early.
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
    curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy_, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy_, CURLOPT_PRIVATE, owner);
    curl_easy_setopt(easy_, CURLOPT_WRITEDATA, &body_);
    const auto write = +[](char* data, std::size_t /*one*/, std::size_t size, std::string* body) {
      body->append(data, size);
      return size;
    };
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, write);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() {
    curl_multi_remove_handle(multi_, easy_);
    curl_easy_cleanup(easy_);
  }

  template <class Owner>
  static Owner& owner_of(const CURLMsg& message) {
    Owner* owner = nullptr;
    curl_easy_getinfo(message.easy_handle, CURLINFO_PRIVATE, &owner);
    return *owner;
  }

  /// Sends the request; the loop then gets a message of its end.
  void start(std::chrono::nanoseconds limit) {
    curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, std::max(1L, long{whole_ms(limit)}));  // 0 is no limit
    body_.clear();
    curl_multi_add_handle(multi_, easy_);
  }

  /// It has ended so. Reports the body, or why there is none.
  template <class Run>
  void report(CURLcode code, Run& run) {
    curl_multi_remove_handle(multi_, easy_);
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK) return run.report(failure_of(code));
    if (status == 200) return run.report(std::move(body_));
    curl_off_t asked = 0;
    curl_easy_getinfo(easy_, CURLINFO_RETRY_AFTER, &asked);  // 0 if the header is missing
    const auto retry_after = asked > 0 ? std::optional{std::chrono::seconds{asked}} : std::nullopt;
    run.report(fusebox::Failure::from_status(static_cast<int>(status), retry_after));
  }

 private:
  CURLM* const multi_;
  CURL* const easy_ = curl_easy_init();
  std::string body_;
};

}  // namespace support

// fusebox/adapters/curl.hpp: libcurl's easy interface under the limits of a call, and its results as
// failures.
//
//   curl::perform       performs a transfer under the deadline and the stop token of a Call; gives a
//   curl::Result curl::set_deadline, curl::result_of    the same in parts, for the multi interface
//   curl::Handle, curl::Headers, curl::write_to    what most programs need around a transfer
//   adapters/curl/result.hpp               curl::Result, which an operation may return; curl::ErrorKind
//
// Needs libcurl 7.68 or newer. One thread at a time uses a handle. A program with several threads calls
// curl_global_init() before it starts them, as libcurl asks.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <string>

#include <curl/curl.h>

#include <fusebox/adapters/curl/result.hpp>  // IWYU pragma: export
#include <fusebox/call.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/throw.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// For CURLOPT_TIMEOUT_MS: rounded up, so that a transfer does not end too early. At least 1, since 0 is no
/// limit.
[[nodiscard]] inline long curl_timeout(const Deadline& deadline) {
  if (deadline.is_never()) return 0;
  constexpr std::chrono::milliseconds longest{std::numeric_limits<int>::max()};  // what libcurl takes
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.remaining());
  return static_cast<long>(std::clamp(left, std::chrono::milliseconds{1}, longest).count());
}

/// CURLOPT_XFERINFOFUNCTION: other than 0 ends the transfer.
inline int curl_progress(void* token, curl_off_t /*due*/, curl_off_t /*got*/, curl_off_t /*to_send*/,
                         curl_off_t /*sent*/) noexcept {
  return static_cast<const StopToken*>(token)->stop_requested() ? 1 : 0;
}

/// CURLOPT_WRITEFUNCTION: appends to a std::string. No exception may go through libcurl.
inline std::size_t curl_append(char* data, std::size_t /*one*/, std::size_t size, void* text) noexcept {
  FUSEBOX_DETAIL_TRY { static_cast<std::string*>(text)->append(data, size); }
  FUSEBOX_DETAIL_CATCH_ALL { return 0; }  // the transfer ends with CURLE_WRITE_ERROR
  return size;
}

struct FreeCurl {
  void operator()(CURL* easy) const noexcept { ::curl_easy_cleanup(easy); }
};
struct FreeCurlMulti {
  void operator()(CURLM* multi) const noexcept { ::curl_multi_cleanup(multi); }
};
struct FreeCurlList {
  void operator()(::curl_slist* list) const noexcept { ::curl_slist_free_all(list); }
};

/// Wakes the thread up that waits for the multi handle; may be called on any thread.
struct CurlWaker {
  CURLM* multi;
  void operator()() const noexcept { ::curl_multi_wakeup(multi); }
};

/// curl_easy_perform() by a multi handle, which a stop wakes up.
[[nodiscard]] inline CURLcode curl_perform(CURLM* multi, CURL* easy, const StopToken& token) {
  if (::curl_multi_add_handle(multi, easy) != CURLM_OK) return CURLE_FAILED_INIT;
#if FUSEBOX_DETAIL_STOP_TOKEN
  const std::stop_callback<CurlWaker> waker{token, CurlWaker{multi}};
#endif
  int running = 1;
  while (!token.stop_requested() && ::curl_multi_perform(multi, &running) == CURLM_OK && running != 0) {
    ::curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
  }
  CURLcode code = token.stop_requested() ? CURLE_ABORTED_BY_CALLBACK : CURLE_FAILED_INIT;
  int left = 0;  // of the messages: there is one if the transfer has ended
  while (const ::CURLMsg* message = ::curl_multi_info_read(multi, &left)) code = message->data.result;
  ::curl_multi_remove_handle(multi, easy);
  return code;
}

}  // namespace detail

namespace curl {

/// The result of the last transfer of `easy`, which ended with `code`: of curl_easy_perform(), or of the
/// CURLMsg of a multi handle. A Retry-After date is compared with SystemClock.
[[nodiscard]] inline Result result_of(CURL* easy, CURLcode code) {
  return detail::CurlAccess::result(easy, code);
}

/// Limits the next transfers of `easy` to the time left, in whole milliseconds and rounded up; without a
/// limit for a deadline that never comes. Sets CURLOPT_TIMEOUT_MS, and CURLOPT_NOSIGNAL: the program ignores
/// SIGPIPE itself then. A look-up of a name may take longer, since libcurl waits for its end.
inline void set_deadline(CURL* easy, const Deadline& deadline) {
  ::curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, detail::curl_timeout(deadline));
}

/// An easy handle with its connections. Throws std::bad_alloc if libcurl gives none.
class Handle {
 public:
  Handle() : easy_{::curl_easy_init()} {
    if (!easy_) detail::throw_error(std::bad_alloc{});
  }
  [[nodiscard]] CURL* get() const noexcept { return easy_.get(); }
  [[nodiscard]] operator CURL*() const noexcept { return get(); }

  /// As curl::perform() with a deadline, but a stop ends the transfer at once. The handle keeps its
  /// connections.
  [[nodiscard]] Result perform(const Deadline& deadline, const StopToken& token = {}) {
    if (token.stop_requested()) return Result{CURLE_ABORTED_BY_CALLBACK};
    if (deadline.expired()) return Result{CURLE_OPERATION_TIMEDOUT};
    set_deadline(get(), deadline);
    const Result result = perform_with(token);
    set_deadline(get(), Deadline::never());
    return result;
  }
  [[nodiscard]] Result perform(const Call& call) { return perform(call.deadline(), call.stop_token()); }
  /// Without limits but the options of the handle.
  [[nodiscard]] Result perform() { return perform_with({}); }

 private:
  [[nodiscard]] Result perform_with(const StopToken& token) {
    if (!multi_) multi_.reset(::curl_multi_init());
    if (!multi_) return Result{CURLE_OUT_OF_MEMORY};
    return result_of(get(), detail::curl_perform(multi_.get(), get(), token));
  }

  std::unique_ptr<CURLM, detail::FreeCurlMulti>
      multi_;  // first: it must not be destroyed before the easy handle
  std::unique_ptr<CURL, detail::FreeCurl> easy_;
};

/// Performs the transfer. It ends with CURLE_OPERATION_TIMEDOUT when the deadline has come, and with
/// CURLE_ABORTED_BY_CALLBACK after a stop; it is not begun if one of these has happened already.
///
/// CURLOPT_TIMEOUT_MS is perform()'s own here, and 0 afterwards: for a limit of yours use a timeout policy.
/// With a token that can be stopped the progress callback is perform()'s own, too. libcurl calls it at least
/// once per second, so that a stop may take as long.
[[nodiscard]] inline Result perform(CURL* easy, const Deadline& deadline, const StopToken& token = {}) {
  if (token.stop_requested()) return Result{CURLE_ABORTED_BY_CALLBACK};
  if (deadline.expired()) return Result{CURLE_OPERATION_TIMEDOUT};
  set_deadline(easy, deadline);
  if (!token.stop_possible()) {
    const CURLcode code = ::curl_easy_perform(easy);
    set_deadline(easy, Deadline::never());
    return result_of(easy, code);
  }
  ::curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &detail::curl_progress);
  ::curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &token);
  ::curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  const CURLcode code = ::curl_easy_perform(easy);
  ::curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
  ::curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, nullptr);
  ::curl_easy_setopt(easy, CURLOPT_XFERINFODATA, nullptr);
  set_deadline(easy, Deadline::never());
  return result_of(easy, code);
}
/// Under the limits of the call that the operation got.
[[nodiscard]] inline Result perform(CURL* easy, const Call& call) {
  return perform(easy, call.deadline(), call.stop_token());
}
/// Without limits other than the handle's own options.
[[nodiscard]] inline Result perform(CURL* easy) { return result_of(easy, ::curl_easy_perform(easy)); }

/// Fields for CURLOPT_HTTPHEADER; they must live as long as a handle uses them.
class Headers {
 public:
  /// A line such as "Accept: application/json", which is copied. Throws ConfigError for a line with CR, LF or
  /// NUL, which would end the field (H25), and std::bad_alloc.
  Headers& add(const std::string& line) {
    if (line.find_first_of(std::string_view{"\r\n\0", 3}) != std::string::npos)
      detail::throw_invalid("curl::Headers::add: line must be without CR, LF and NUL");
    ::curl_slist* const longer = ::curl_slist_append(lines_.get(), line.c_str());
    if (longer == nullptr) detail::throw_error(std::bad_alloc{});
    if (!lines_) lines_.reset(longer);
    return *this;
  }
  [[nodiscard]] ::curl_slist* get() const noexcept { return lines_.get(); }
  void apply(CURL* easy) const { ::curl_easy_setopt(easy, CURLOPT_HTTPHEADER, get()); }

 private:
  std::unique_ptr<::curl_slist, detail::FreeCurlList> lines_;
};

/// Lets the next transfers of `easy` append what they receive to `body`, which must live as long. Clear it
/// before each attempt.
inline void write_to(CURL* easy, std::string& body) {
  ::curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &detail::curl_append);
  ::curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
}

}  // namespace curl

FUSEBOX_END_NAMESPACE

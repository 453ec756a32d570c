// fusebox/adapters/curl/result.hpp: curl::Result, how a transfer of libcurl ended; curl::ErrorKind.
#pragma once
// IWYU pragma: private, include <fusebox/adapters/curl.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <curl/curl.h>

#include <fusebox/api_error.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/config_error.hpp>
#include <fusebox/detail/no_destroy.hpp>
#include <fusebox/detail/upstream_error.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/http.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace curl {

/// What kind of error a CURLcode is (H21).
enum class ErrorKind : unsigned char {
  none,       ///< CURLE_OK
  network,    ///< the peer was not reached, or the connection broke: transient
  timeout,    ///< CURLOPT_TIMEOUT_MS or another limit was over: transient
  cancelled,  ///< a callback ended the transfer
  tls,        ///< no trust, or no common protocol
  answer,     ///< the peer answered, but not so that libcurl could use it
  local,      ///< our own side failed: memory, a file, a callback
  usage,      ///< the program is wrong: an option or a URL that libcurl refuses
};

/// The enumerator's name; "unknown" for any other value.
[[nodiscard]] constexpr std::string_view to_string(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::none: return "none";
    case ErrorKind::network: return "network";
    case ErrorKind::timeout: return "timeout";
    case ErrorKind::cancelled: return "cancelled";
    case ErrorKind::tls: return "tls";
    case ErrorKind::answer: return "answer";
    case ErrorKind::local: return "local";
    case ErrorKind::usage: return "usage";
  }
  return "unknown";
}

/// `answer` for a code that is not in this list, such as a newer one.
[[nodiscard]] constexpr ErrorKind kind_of(CURLcode code) noexcept {
  switch (static_cast<int>(code)) {
    case CURLE_OK: return ErrorKind::none;

    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_HTTP2:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SSL_SHUTDOWN_FAILED:
    case CURLE_AGAIN:
    case CURLE_NO_CONNECTION_AVAILABLE:
    case CURLE_HTTP2_STREAM:
    case 95:  // CURLE_HTTP3, since 7.68
    case 96:  // CURLE_QUIC_CONNECT_ERROR, since 7.69
      return ErrorKind::network;

    case CURLE_FTP_ACCEPT_TIMEOUT:
    case CURLE_OPERATION_TIMEDOUT: return ErrorKind::timeout;

    case CURLE_ABORTED_BY_CALLBACK: return ErrorKind::cancelled;

    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case 98:   // CURLE_SSL_CLIENTCERT, since 7.77
    case 101:  // CURLE_ECH_REQUIRED, since 8.8
      return ErrorKind::tls;

    case CURLE_FAILED_INIT:
    case CURLE_WRITE_ERROR:
    case CURLE_READ_ERROR:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FILE_COULDNT_READ_FILE:
    case CURLE_INTERFACE_FAILED:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_CHUNK_FAILED:
    case 99:   // CURLE_UNRECOVERABLE_POLL, since 7.84
    case 100:  // CURLE_TOO_LARGE, since 8.6
      return ErrorKind::local;

    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_NOT_BUILT_IN:
    case CURLE_HTTP_POST_ERROR:
    case CURLE_FUNCTION_NOT_FOUND:
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_UNKNOWN_OPTION:
    case CURLE_SETOPT_OPTION_SYNTAX:
    case CURLE_RECURSIVE_API_CALL: return ErrorKind::usage;

    default: return ErrorKind::answer;
  }
}

}  // namespace curl

namespace detail {

/// The category of codes without a NetworkErrc of their own: libcurl's numbers and texts.
class FUSEBOX_API CurlErrorCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "curl"; }
  [[nodiscard]] std::string message(int value) const override {
    return std::string{"curl: "} + ::curl_easy_strerror(static_cast<CURLcode>(value));
  }
};

[[nodiscard]] FUSEBOX_API inline const std::error_category& curl_error_category() noexcept {
  static const NoDestroy<CurlErrorCategory> category;
  return *category;
}

/// The code of a transfer that ended so. `was_sent`: had it sent a request before? Then neither a refused
/// connection nor an unknown host may say that nothing was (R7).
[[nodiscard]] inline std::error_code curl_code(CURLcode code, bool was_sent = false) noexcept {
  switch (curl::kind_of(code)) {
    case curl::ErrorKind::none: return {};
    case curl::ErrorKind::timeout: return make_error_code(NetworkErrc::timed_out);
    case curl::ErrorKind::cancelled: return make_error_code(PolicyErrc::cancelled);
    case curl::ErrorKind::network: break;
    default: return {static_cast<int>(code), curl_error_category()};
  }
  // Behind a redirect, or after a kept connection that broke and that libcurl replaced.
  if (was_sent) return make_error_code(NetworkErrc::connection_reset);
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST: return make_error_code(NetworkErrc::host_not_found);
    case CURLE_COULDNT_CONNECT:
    case CURLE_NO_CONNECTION_AVAILABLE: return make_error_code(NetworkErrc::connection_refused);
    default: return make_error_code(NetworkErrc::connection_reset);
  }
}

inline constexpr CURLcode curle_proxy{static_cast<CURLcode>(97)};  // CURLE_PROXY, since 7.73

/// What a SOCKS proxy says of its target, as the code of a transfer without a proxy (H27).
[[nodiscard]] inline CURLcode curl_socks_code(CURL* easy) noexcept {
#if LIBCURL_VERSION_NUM >= 0x074900  // 7.73
  long reply = 0;
  ::curl_easy_getinfo(easy, CURLINFO_PROXY_ERROR, &reply);
  switch (reply) {
    case CURLPX_REPLY_CONNECTION_REFUSED:
    case CURLPX_REPLY_HOST_UNREACHABLE:
    case CURLPX_REPLY_NETWORK_UNREACHABLE:
    case CURLPX_REPLY_TTL_EXPIRED: return CURLE_COULDNT_CONNECT;
    case CURLPX_RESOLVE_HOST: return CURLE_COULDNT_RESOLVE_HOST;
    case CURLPX_CLOSED: return CURLE_RECV_ERROR;
    default: break;
  }
#else
  static_cast<void>(easy);
#endif
  return curle_proxy;
}

/// Was the last transfer one of HTTP? The status of other protocols means something else.
[[nodiscard]] inline bool curl_speaks_http(CURL* easy) noexcept {
  const char* scheme = nullptr;  // "HTTPS", in lower case since 8.0
  ::curl_easy_getinfo(easy, CURLINFO_SCHEME, &scheme);
  if (scheme == nullptr) return false;
  const std::string_view name{scheme};
  return name == "HTTP" || name == "HTTPS" || name == "http" || name == "https";
}

/// Retry-After as libcurl reads it: seconds, or the time until a date. 0 is the same as none.
[[nodiscard]] inline std::optional<std::chrono::seconds> curl_retry_after_info(CURL* easy) noexcept {
  curl_off_t seconds = 0;
  ::curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds);
  return seconds > 0 ? std::optional{std::chrono::seconds{seconds}} : std::nullopt;
}

/// As http::parse_retry_after reads the field of the last answer; what libcurl makes of it, if it does not
/// keep header fields.
[[nodiscard]] inline std::optional<std::chrono::seconds> curl_retry_after(CURL* easy) {
#if LIBCURL_VERSION_NUM >= 0x075400  // 7.84: before, curl_easy_header was an experiment
  ::curl_header* field = nullptr;
  const CURLHcode found = ::curl_easy_header(easy, "Retry-After", 0, CURLH_HEADER, -1, &field);
  if (found == CURLHE_OK) return http::parse_retry_after(field->value, SystemClock{}.wall_now());
  if (found != CURLHE_NOT_BUILT_IN) return std::nullopt;
#endif
  return curl_retry_after_info(easy);
}

struct CurlAccess;

}  // namespace detail

namespace curl {

/// How a transfer ended. A small value without memory of its own; failure_traits judges it, so that an
/// operation may return it as it is.
class Result {
 public:
  /// A transfer that ended so, without an answer.
  constexpr explicit Result(CURLcode code) noexcept : code_{code} {}
  /// A transfer with an answer of HTTP.
  constexpr Result(CURLcode code, int status,
                   std::optional<std::chrono::seconds> retry_after = std::nullopt) noexcept
      : code_{code}, status_{status}, retry_after_{retry_after} {}

  [[nodiscard]] constexpr CURLcode code() const noexcept { return code_; }
  /// Of the last answer, also if the transfer broke off after it; 0 if there was none, or none of HTTP.
  [[nodiscard]] constexpr int status() const noexcept { return status_; }
  /// What the last answer asks for, if anything.
  [[nodiscard]] constexpr std::optional<std::chrono::seconds> retry_after() const noexcept {
    return retry_after_;
  }
  /// Did libcurl refuse the transfer before it sent anything?
  [[nodiscard]] constexpr bool is_usage_error() const noexcept {
    return !was_sent_ && kind_of(code_) == ErrorKind::usage;
  }

 private:
  friend struct detail::CurlAccess;

  CURLcode code_;
  int status_ = 0;
  std::optional<std::chrono::seconds> retry_after_;
  bool was_sent_ = false;
};

}  // namespace curl

namespace detail {

struct CurlAccess {
  [[nodiscard]] static bool was_sent(const curl::Result& result) noexcept { return result.was_sent_; }
  [[nodiscard]] static curl::Result result(CURL* easy, CURLcode code) {
    curl::Result result{code};
    long proxy_status = 0;
    ::curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    const bool proxy_refused = proxy_status >= 300 && !is_retryable_status(static_cast<int>(proxy_status));
    if (code == curle_proxy) result.code_ = curl_socks_code(easy);
    if (code == CURLE_RECV_ERROR && proxy_refused) result.code_ = curle_proxy;
    curl_off_t sent_after = 0;
    ::curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &sent_after);
    result.was_sent_ = sent_after != 0;
    if (!curl_speaks_http(easy)) return result;
    long status = 0;
    ::curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    result.status_ = static_cast<int>(status);
    result.retry_after_ = curl_retry_after(easy);
    return result;
  }
};

}  // namespace detail

/// The failure of a transfer (H20); std::nullopt for an answer with a status from 200 to 399, and for a
/// transfer of another protocol that succeeded.
template <>
struct failure_traits<curl::Result> {
  [[nodiscard]] static std::optional<Failure> failure(const curl::Result& result) {
    const CURLcode code = result.code();
    const bool status_counts = code == CURLE_OK || code == CURLE_HTTP_RETURNED_ERROR;
    if (status_counts && result.status() >= 400) {
      return Failure::from_status(result.status(), result.retry_after());
    }
    if (result.is_usage_error()) return refused(code);
    if (code != CURLE_OK) return Failure{detail::curl_code(code, detail::CurlAccess::was_sent(result))};
    if (result.status() != 0 && result.status() < 200) {  // not the final answer
      return Failure{detail::curl_code(CURLE_WEIRD_SERVER_REPLY)};
    }
    return std::nullopt;
  }

 private:
  /// A wrong program is nobody's failure (E6).
  [[nodiscard]] static Failure refused(CURLcode code) {
#if FUSEBOX_DETAIL_EXCEPTIONS
    return Failure::from_exception(
        std::make_exception_ptr(ConfigError{detail::curl_error_category().message(code)}));
#else
    return Failure{detail::curl_code(code)};
#endif
  }
};

/// The error to throw for a failed transfer from `service`, marked with from_upstream (E5); std::nullopt if
/// it succeeded.
[[nodiscard]] inline std::optional<ApiError> upstream_error(const curl::Result& result, std::string service) {
  return detail::upstream_error(failure_traits<curl::Result>::failure(result), service);
}

FUSEBOX_END_NAMESPACE

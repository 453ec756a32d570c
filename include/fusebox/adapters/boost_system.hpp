// fusebox/adapters/boost_system.hpp: teaches the library the errors of Boost.System, Boost.Asio and
// Boost.Beast.
//
// With this header in a program, the Failure of a boost::system::system_error has its code, as that of a
// std::system_error has: a refused connection is transient, an aborted operation is a cancellation. So has
// that of a boost::system::error_code or error_condition that was thrown.
//
// A boost::system::error_code may also be what op returns, alone or as the error of an expected-like result,
// such as boost::system::result: it is a failure if it is set. See failure_traits below.
#pragma once

#include <exception>
#include <optional>
#include <string_view>
#include <system_error>

#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Codes of Boost that say no more than a NetworkErrc, but equal no condition. They are recognised by the
/// names of their categories, so that neither Asio nor Beast is included.
struct BoostNetworkCode {
  std::string_view category;
  int value;
  NetworkErrc errc;
};

inline constexpr int beast_end_of_stream = 1;
inline constexpr int beast_partial_message = 2;
inline constexpr int beast_need_buffer = 5;
inline constexpr int beast_end_of_chunk = 6;
inline constexpr int beast_timeout = 1;

inline constexpr BoostNetworkCode boost_network_codes[] = {
    {"boost.beast", beast_timeout, NetworkErrc::timed_out},
    {"beast.http", beast_end_of_stream, NetworkErrc::connection_reset},
    {"beast.http", beast_partial_message, NetworkErrc::connection_reset},
    {"asio.ssl.stream", 1, NetworkErrc::connection_reset},  // stream_truncated
};

/// The code for a Failure.
[[nodiscard]] inline std::error_code code_of_boost(const boost::system::error_code& code) noexcept {
  const std::string_view category = code.category().name();
  for (const BoostNetworkCode& known : boost_network_codes) {
    if (code.value() == known.value && category == known.category) return make_error_code(known.errc);
  }
  return code;
}

/// Beast's way to say "go on": the buffer of a body is full, or one chunk of several has been read.
[[nodiscard]] inline bool is_beast_progress(const boost::system::error_code& code) noexcept {
  return (code.value() == beast_need_buffer || code.value() == beast_end_of_chunk) &&
         std::string_view{code.category().name()} == "beast.http";
}

/// The code that a condition stands for. A condition of the generic category is the errno of the same number.
[[nodiscard]] inline std::error_code code_of_boost(const boost::system::error_condition& condition) noexcept {
  return detail::code_of_boost(boost::system::error_code{condition.value(), condition.category()});
}

[[nodiscard]] inline std::optional<Failure> translate_boost_system(
    [[maybe_unused]] const std::exception_ptr& exception) {
#if FUSEBOX_DETAIL_EXCEPTIONS
  try {
    std::rethrow_exception(exception);
  } catch (const boost::system::system_error& error) {
    return Failure{detail::code_of_boost(error.code())};
  } catch (const boost::system::error_code& code) {
    return Failure{detail::code_of_boost(code)};
  } catch (const boost::system::error_condition& condition) {
    return Failure{detail::code_of_boost(condition)};
  } catch (boost::system::errc::errc_t errc) {
    return Failure{detail::code_of_boost(make_error_code(errc))};
  } catch (...) {  // not of Boost.System
  }
#endif
  return std::nullopt;
}

/// One registration for the whole program.
inline const bool knows_boost_system = [] {
  register_failure_translator(&translate_boost_system);
  return true;
}();

}  // namespace detail

/// The failure of a code that is set (H65). Beast's timeout is NetworkErrc::timed_out. Its end_of_stream and
/// partial_message are NetworkErrc::connection_reset, and so is the stream_truncated of Asio's TLS streams:
/// the peer went away before the answer was complete. Beast's need_buffer and end_of_chunk ask the program to
/// go on, and are no failures.
template <>
struct failure_traits<boost::system::error_code> {
  [[nodiscard]] static std::optional<Failure> failure(const boost::system::error_code& code) noexcept {
    if (!code || detail::is_beast_progress(code)) return std::nullopt;
    return Failure{detail::code_of_boost(code)};
  }
};

/// The failure of a condition other than 0, as that of the code with its number.
template <>
struct failure_traits<boost::system::error_condition> {
  [[nodiscard]] static std::optional<Failure> failure(
      const boost::system::error_condition& condition) noexcept {
    if (condition.value() == 0) return std::nullopt;
    return Failure{detail::code_of_boost(condition)};
  }
};

/// The failure of an errc other than success.
template <>
struct failure_traits<boost::system::errc::errc_t> {
  [[nodiscard]] static std::optional<Failure> failure(boost::system::errc::errc_t errc) noexcept {
    if (errc == boost::system::errc::success) return std::nullopt;
    return Failure{detail::code_of_boost(make_error_code(errc))};
  }
};

FUSEBOX_END_NAMESPACE

// fusebox/adapters/boost_system.hpp: teaches the library the exceptions of Boost.System and Boost.Asio.
//
// With this header in a program, the Failure of a boost::system::system_error has its code, as that of a
// std::system_error has: a refused connection is transient, an aborted operation is a cancellation. So has
// that of a boost::system::error_code that was thrown.
#pragma once

#include <exception>
#include <optional>

#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

[[nodiscard]] inline std::optional<Failure> translate_boost_system(
    [[maybe_unused]] const std::exception_ptr& exception) {
#if FUSEBOX_DETAIL_EXCEPTIONS
  try {
    std::rethrow_exception(exception);
  } catch (const boost::system::system_error& error) {
    return Failure{std::error_code{error.code()}};
  } catch (const boost::system::error_code& code) {
    return Failure{std::error_code{code}};
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

FUSEBOX_END_NAMESPACE

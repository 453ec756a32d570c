// support/error_gallery.hpp: every kind of error response, each under its own path.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>

#include <httplib.h>

#include <fusebox/fusebox.hpp>

namespace support {

using ErrorAnswer = std::function<void(httplib::Response&, const fusebox::RequestInfo&)>;

/// The answer to a GET of each path. send_exception answers for exceptions.
inline const std::map<std::string, ErrorAnswer> error_gallery{
    {"/errors/bad-request",
     [](auto& r, auto& info) { send_bad_request_error(r, "Invalid email address", info); }},
    {"/errors/validation",
     [](auto& r, auto& info) { send_validation_error(r, {{"email", "Invalid email format"}}, info); }},
    {"/errors/unauthorized",
     [](auto& r, auto& info) {
       r.set_header("WWW-Authenticate", "Bearer");
       send_unauthorized_error(r, "Please log in", info);
     }},
    {"/errors/forbidden", [](auto& r, auto& info) { send_forbidden_error(r, "Not your order", info); }},
    {"/errors/not-found", [](auto& r, auto& info) { send_not_found_error(r, "No such order", info); }},
    {"/errors/conflict",
     [](auto&, auto&) { throw fusebox::ApiError{fusebox::ErrorCode::conflict, "The order has shipped"}; }},
    {"/errors/rate-limit",
     [](auto& r, auto& info) { send_rate_limit_error(r, std::chrono::seconds{60}, info); }},
    {"/errors/unavailable",
     [](auto& r, auto& info) { send_service_unavailable_error(r, "Back at noon", info); }},
    {"/errors/circuit-open",
     [](auto&, auto&) { throw fusebox::CircuitOpenError{"stock", std::chrono::seconds{30}}; }},
    {"/errors/timeout", [](auto&, auto&) { throw fusebox::TimeoutError{}; }},
    {"/errors/internal", [](auto&, auto&) { throw std::runtime_error{"a secret of ours"}; }},
};

}  // namespace support

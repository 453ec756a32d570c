// fusebox/error_response/detail/write.hpp: writes an HttpResponse into the response of an HTTP library (H5).
#pragma once
// IWYU pragma: private, include <fusebox/error_response.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <type_traits>

#include <fusebox/error_response/document.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

namespace adl {
void write_response() = delete;  // only argument-dependent lookup may find one

template <class Res>
concept HasWriteResponse =
    requires(Res& res, const HttpResponse& response) { write_response(res, response); };

template <class Res>
void call_write_response(Res& res, const HttpResponse& response) {
  write_response(res, response);
}
}  // namespace adl

/// A response like that of cpp-httplib.
template <class Res>
concept HttplibLike = requires(Res& res, const std::string& text) {
  res.status = 500;
  res.set_content(text, "application/json");
  res.set_header("Retry-After", text);
};

/// A body that keeps a text of its own. A view of one, such as Beast's span_body has, would outlive the text.
template <class Body>
concept TextBody =
    requires(Body& body, const std::string& text) { body = text; } && !std::is_trivially_destructible_v<Body>;

/// A body that is a container of bytes.
template <class Body>
concept BytesBody = !TextBody<Body> && requires(Body& body, const char* text) { body.assign(text, text); };

/// A body that is a dynamic buffer, as networking libraries have it.
template <class Body>
concept BufferBody = !TextBody<Body> && !BytesBody<Body> && requires(Body& body) {
  body.consume(body.size());
  body.prepare(body.size());
  body.commit(body.size());
};

template <TextBody Body>
void assign_body(Body& body, const std::string& text) {
  body = text;
}
template <BytesBody Body>
void assign_body(Body& body, const std::string& text) {
  body.assign(text.data(), text.data() + text.size());
}
template <BufferBody Body>
void assign_body(Body& body, const std::string& text) {
  body.consume(body.size());
  const auto room = body.prepare(text.size());
  if constexpr (requires { room.data(); }) {
    std::memcpy(room.data(), text.data(), text.size());
  } else {
    std::size_t copied = 0;
    for (auto part = room.begin(); part != room.end() && copied < text.size(); ++part) {
      const std::size_t size = std::min((*part).size(), text.size() - copied);
      std::memcpy((*part).data(), text.data() + copied, size);
      copied += size;
    }
  }
  body.commit(text.size());
}

/// A response like that of Boost.Beast.
template <class Res>
concept BeastLike = requires(Res& res, const std::string& text) {
  res.result(500U);
  res.set("Retry-After", text);
  detail::assign_body(res.body(), text);
};

/// The fields that describe the answer which a handler had begun, not the error (H9).
inline constexpr const char* fields_of_old_answer[] = {
    "Content-Encoding", "Content-Length", "Content-Range", "ETag",
    "Last-Modified",    "Cache-Control",  "Location",      "Content-Disposition"};

/// Overwrites status, body, Content-Type and Retry-After. Removes the fields that described the old body.
template <class Res>
void write(Res& res, const HttpResponse& response) {
  static_assert(adl::HasWriteResponse<Res> || HttplibLike<Res> || BeastLike<Res>,
                "fusebox: this response type is unknown: write `void write_response(Response&, const "
                "fusebox::HttpResponse&)` in its namespace");
  if constexpr (adl::HasWriteResponse<Res>) {
    adl::call_write_response(res, response);
  } else if constexpr (HttplibLike<Res>) {
    res.status = response.status;
    res.set_content(response.body, response.content_type.c_str());
    if constexpr (requires { res.headers.erase("Retry-After"); }) {
      for (const char* const field : fields_of_old_answer) res.headers.erase(field);
      res.headers.erase("Retry-After");
    }
    if (response.retry_after) res.set_header("Retry-After", std::to_string(response.retry_after->count()));
  } else if constexpr (BeastLike<Res>) {
    res.result(static_cast<unsigned>(response.status));
    res.set("Content-Type", response.content_type);
    if constexpr (requires { res.erase("Retry-After"); }) {
      for (const char* const field : fields_of_old_answer) res.erase(field);
      res.erase("Retry-After");
    }
    if (response.retry_after) res.set("Retry-After", std::to_string(response.retry_after->count()));
    detail::assign_body(res.body(), response.body);
    if constexpr (requires { res.prepare_payload(); }) res.prepare_payload();
  }
}

}  // namespace detail

FUSEBOX_END_NAMESPACE

#include <fusebox/error_response/detail/write.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

/// cpp-httplib's shape.
struct HttplibResponse {
  int status = 0;
  std::string body;
  std::string content_type;
  std::multimap<std::string, std::string> headers;

  void set_content(const std::string& text, const char* type) {
    body = text;
    content_type = type;
  }
  void set_header(const std::string& name, const std::string& value) { headers.emplace(name, value); }
};

/// Boost.Beast's shape.
struct BeastResponse {
  unsigned status = 0;
  std::string text;
  std::map<std::string, std::string> fields;

  void result(unsigned code) { status = code; }
  void set(std::string_view name, const std::string& value) { fields[std::string{name}] = value; }
  void erase(std::string_view name) { fields.erase(std::string{name}); }
  std::string& body() { return text; }
  void prepare_payload() { fields["Content-Length"] = std::to_string(text.size()); }
};

/// The same with another body.
template <class Body>
struct BeastResponseOf {
  unsigned status = 0;
  Body held;

  void result(unsigned code) { status = code; }
  void set(std::string_view, const std::string&) {}
  Body& body() { return held; }
};

/// A dynamic buffer that gives room in parts of 2 bytes, or in one part.
template <bool IsOnePart>
struct Buffer {
  struct Part {
    char* start;
    std::size_t length;
    [[nodiscard]] char* data() const { return start; }
    [[nodiscard]] std::size_t size() const { return length; }
  };
  std::string text;
  std::string room;

  [[nodiscard]] std::size_t size() const { return text.size(); }
  void consume(std::size_t size) { text.erase(0, size); }
  auto prepare(std::size_t size) {
    room.assign(size, '?');
    if constexpr (IsOnePart) {
      return Part{room.data(), size};
    } else {
      std::vector<Part> parts;
      for (std::size_t i = 0; i < size; i += 2)
        parts.push_back({room.data() + i, std::min<std::size_t>(2, size - i)});
      return Parts{std::move(parts)};
    }
  }
  void commit(std::size_t size) { text.append(room, 0, size); }

 private:
  struct Parts {  // without data()
    std::vector<Part> parts;
    [[nodiscard]] auto begin() const { return parts.begin(); }
    [[nodiscard]] auto end() const { return parts.end(); }
  };
};

/// The least of these shapes.
struct BareHttplibResponse {
  int status = 0;
  std::string body;
  void set_content(const std::string& text, const char*) { body = text; }
  void set_header(const std::string&, const std::string&) {}
};

const HttpResponse unavailable{.status = 503, .content_type = "text/json", .body = "{}", .retry_after = 5s};
const HttpResponse gone{.status = 410, .body = "[]"};

}  // namespace

namespace elsewhere {
struct OwnResponse {  // looks like cpp-httplib's, but its own function comes first
  int status = 0;
  void set_content(const std::string&, const char*) { status = -1; }
  void set_header(const std::string&, const std::string&) { status = -1; }
  HttpResponse written;
};
void write_response(OwnResponse& own, const HttpResponse& response) { own.written = response; }
}  // namespace elsewhere

TEST_CASE("H5 a response like cpp-httplib's is known by its shape", "[H5]") {
  HttplibResponse response;
  detail::write(response, unavailable);
  CHECK(response.status == 503);
  CHECK(response.body == "{}");
  CHECK(response.content_type == "text/json");
  CHECK(response.headers.count("Retry-After") == 1);
  CHECK(response.headers.find("Retry-After")->second == "5");
  detail::write(response, unavailable);
  CHECK(response.headers.count("Retry-After") == 1);
  detail::write(response, gone);
  CHECK(response.headers.count("Retry-After") == 0);

  BareHttplibResponse bare;
  detail::write(bare, gone);
  CHECK(bare.status == 410);
  CHECK(bare.body == "[]");
}

TEST_CASE("H5 a response like Beast's is known by its shape", "[H5]") {
  BeastResponse response;
  detail::write(response, unavailable);
  CHECK(response.status == 503);
  CHECK(response.text == "{}");
  CHECK(response.fields["Content-Type"] == "text/json");
  CHECK(response.fields["Retry-After"] == "5");
  CHECK(response.fields["Content-Length"] == "2");
  detail::write(response, gone);
  CHECK(response.fields.count("Retry-After") == 0);
}

TEST_CASE("H5 H34 a body of Beast's shape may be a container of bytes or a dynamic buffer", "[H5][H34]") {
  const HttpResponse answer{.status = 500, .body = "seven c"};
  BeastResponseOf<std::vector<unsigned char>> bytes{.held = {1, 2}};
  detail::write(bytes, answer);
  CHECK(bytes.status == 500);
  CHECK(std::string(bytes.held.begin(), bytes.held.end()) == "seven c");
  BeastResponseOf<Buffer<true>> one{.held = {"begun", ""}};
  detail::write(one, answer);
  CHECK(one.held.text == "seven c");
  BeastResponseOf<Buffer<false>> parts{.held = {"begun", ""}};
  detail::write(parts, answer);
  CHECK(parts.held.text == "seven c");
  detail::write(parts, HttpResponse{.body = ""});
  CHECK(parts.held.text.empty());
}

static_assert(detail::BeastLike<BeastResponseOf<std::string>>);
static_assert(!detail::BeastLike<BeastResponseOf<std::string_view>>, "a view would outlive the text");
static_assert(!detail::BeastLike<BeastResponseOf<int>>);

TEST_CASE("H9 the fields that described the handler's own answer are removed, others stay", "[H9]") {
  HttplibResponse httplib;
  BeastResponse beast;
  for (const char* field : {"Content-Encoding", "Content-Length", "Content-Range", "ETag", "Last-Modified",
                            "Cache-Control", "Location", "Content-Disposition", "X-Frame-Options"}) {
    httplib.set_header(field, "old");
    httplib.set_header(field, "older");
    beast.set(field, "old");
  }
  detail::write(httplib, gone);
  CHECK(httplib.headers.size() == 2);
  CHECK(httplib.headers.count("X-Frame-Options") == 2);
  detail::write(beast, gone);
  CHECK(beast.fields.size() == 3);
  CHECK(beast.fields["X-Frame-Options"] == "old");
  CHECK(beast.fields["Content-Type"] == "application/json");
  CHECK(beast.fields["Content-Length"] == "2");
}

TEST_CASE("H5 a write_response found by argument-dependent lookup comes before any shape", "[H5]") {
  elsewhere::OwnResponse response;
  detail::write(response, unavailable);
  CHECK(response.status == 0);
  CHECK(response.written.status == 503);
  CHECK(response.written.body == "{}");
  CHECK(response.written.content_type == "text/json");
  CHECK(response.written.retry_after == 5s);
}

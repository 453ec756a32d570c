#include <fusebox/dashboard.hpp>

#include <map>
#include <string>

#include "catch.hpp"

using fusebox::DashboardResponse;

namespace {

struct LikeHttplib {
  int status = 0;
  std::string body, type;
  std::map<std::string, std::string> headers;
  void set_content(const std::string& content, const char* content_type) {
    body = content, type = content_type;
  }
  void set_header(const char* name, const std::string& value) { headers[name] = value; }
};

struct LikeBeast {
  unsigned status = 0;
  std::string text;
  std::map<std::string, std::string> fields;
  bool prepared = false;
  void result(unsigned code) { status = code; }
  void set(const std::string& name, const std::string& value) { fields[name] = value; }
  std::string& body() { return text; }
  void prepare_payload() { prepared = true; }
};

}  // namespace

TEST_CASE("H71 an answer fills responses of known shapes", "[H71]") {
  const DashboardResponse response{
      .status = 403, .content_type = "text/plain", .fields = {{"A", "1"}, {"B", "2"}}, .body = "no"};
  LikeHttplib httplib;
  response.send(httplib);
  CHECK(httplib.status == 403);
  CHECK(httplib.type == "text/plain");
  CHECK(httplib.body == "no");
  CHECK(httplib.headers == std::map<std::string, std::string>{{"A", "1"}, {"B", "2"}});
  LikeBeast beast;
  response.send(beast);
  CHECK(beast.status == 403);
  CHECK(beast.text == "no");
  CHECK(beast.prepared);
  CHECK(beast.fields ==
        std::map<std::string, std::string>{{"A", "1"}, {"B", "2"}, {"Content-Type", "text/plain"}});
}

#include <fusebox/adapters/curl.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <cstdio>
#include <limits>
#include <stop_token>
#include <string>

#include <unistd.h>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

/// A file with this text: libcurl reads it by a URL, without a server.
class File {
 public:
  explicit File(const std::string& text) {
    const int file = ::mkstemp(path_);
    REQUIRE(file != -1);
    REQUIRE(::write(file, text.data(), text.size()) == std::ssize(text));
    ::close(file);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { std::remove(path_); }
  [[nodiscard]] std::string url() const { return "file://" + std::string{path_}; }

 private:
  char path_[64] = "/tmp/fusebox-curl-XXXXXX";
};

struct Transfer {
  explicit Transfer(const std::string& url) {
    curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
    curl::write_to(easy, body);
  }
  curl::Handle easy;
  std::string body;
};

}  // namespace

TEST_CASE("H20 a transfer of a protocol without statuses is judged by its code", "[H20]") {
  const File file{"fine"};
  Transfer transfer{file.url()};
  const curl::Result results[] = {curl::perform(transfer.easy), transfer.easy.perform()};
  CHECK(transfer.body == "finefine");
  for (const curl::Result& result : results) {
    CHECK(result.code() == CURLE_OK);
    CHECK(result.status() == 0);
    CHECK_FALSE(result.retry_after());
    CHECK_FALSE(failure_traits<curl::Result>::failure(result));
  }
}

TEST_CASE("H21 a missing file is a failure of our own side", "[H21]") {
  Transfer transfer{"file:///no/such/file"};
  const auto result = curl::perform(transfer.easy);
  CHECK(curl::kind_of(result.code()) == curl::ErrorKind::local);
  CHECK(failure_traits<curl::Result>::failure(result));
}

TEST_CASE("H21 a URL that libcurl refuses is a usage error", "[H21]") {
  for (const char* url : {"http://", "nosuch://host/", "http://host:port/"}) {
    CAPTURE(url);
    Transfer transfer{url};
    for (const curl::Result& result : {curl::perform(transfer.easy), transfer.easy.perform()}) {
      CHECK(result.is_usage_error());
      CHECK(failure_traits<curl::Result>::failure(result)->is_config_error());
    }
  }
}

TEST_CASE("H23 a deadline limits a transfer in whole milliseconds, rounded up", "[H23]") {
  const test::FakeClock clock;
  const auto timeout = [&](std::chrono::nanoseconds left) {
    return detail::curl_timeout(Deadline::after(left, clock));
  };
  CHECK(timeout(1500ms) == 1500);
  CHECK(timeout(1500ms + 1ns) == 1501);
  CHECK(timeout(1ns) == 1);
  CHECK(timeout(0ns) == 1);
  CHECK(timeout(24h * 365) == std::numeric_limits<int>::max());
  CHECK(detail::curl_timeout(Deadline::never()) == 0);
}

TEST_CASE("H23 a transfer whose deadline has come is not begun", "[H23]") {
  const File file{"fine"};
  Transfer transfer{file.url()};
  const test::FakeClock clock;
  const Deadline deadline = Deadline::after(1s, clock);
  CHECK(curl::perform(transfer.easy, deadline).code() == CURLE_OK);
  transfer.body.clear();
  clock.advance(1s);
  for (const auto& result : {curl::perform(transfer.easy, deadline), transfer.easy.perform(deadline)}) {
    CHECK(result.code() == CURLE_OPERATION_TIMEDOUT);
    CHECK(failure_traits<curl::Result>::failure(result)->is_timeout());
  }
  CHECK(transfer.body.empty());
}

TEST_CASE("H24 a transfer whose token is stopped is not begun", "[H24]") {
  const File file{"fine"};
  Transfer transfer{file.url()};
  std::stop_source stop;
  CHECK(curl::perform(transfer.easy, Deadline::never(), stop.get_token()).code() == CURLE_OK);
  CHECK(transfer.easy.perform(Deadline::never(), stop.get_token()).code() == CURLE_OK);
  CHECK(transfer.body == "finefine");
  stop.request_stop();
  for (const auto& result : {curl::perform(transfer.easy, Deadline::never(), stop.get_token()),
                             transfer.easy.perform(Deadline::never(), stop.get_token())}) {
    CHECK(result.code() == CURLE_ABORTED_BY_CALLBACK);
    CHECK(failure_traits<curl::Result>::failure(result)->is_cancellation());
  }
  CHECK(transfer.body == "finefine");
}

TEST_CASE("H24 the progress callback ends a transfer after a stop, and is gone after it", "[H24]") {
  const File file{"fine"};
  Transfer transfer{file.url()};
  struct Stopper {
    std::stop_source stop;
    static std::size_t write(char*, std::size_t, std::size_t size, Stopper* self) {
      self->stop.request_stop();
      return size;
    }
  } stopper;
  curl_easy_setopt(transfer.easy.get(), CURLOPT_WRITEFUNCTION, &Stopper::write);
  curl_easy_setopt(transfer.easy.get(), CURLOPT_WRITEDATA, &stopper);
  const auto stopped = curl::perform(transfer.easy, Deadline::never(), stopper.stop.get_token());
  CHECK(stopped.code() == CURLE_ABORTED_BY_CALLBACK);
  CHECK(curl::perform(transfer.easy).code() == CURLE_OK);
}

TEST_CASE("H24 a program that turns progress on afterwards gets libcurl's own", "[H24]") {
  const File file{"fine"};
  Transfer transfer{file.url()};
  std::stop_source stop;
  CHECK(curl::perform(transfer.easy, Deadline::never(), stop.get_token()).code() == CURLE_OK);
  curl_easy_setopt(transfer.easy.get(), CURLOPT_NOPROGRESS, 0L);
  std::FILE* const nowhere = std::fopen("/dev/null", "w");  // for libcurl's progress meter
  curl_easy_setopt(transfer.easy.get(), CURLOPT_STDERR, nowhere);
  CHECK(curl::perform(transfer.easy).code() == CURLE_OK);
  curl_easy_setopt(transfer.easy.get(), CURLOPT_STDERR, nullptr);
  std::fclose(nowhere);
  CHECK(transfer.body == "finefine");
}

TEST_CASE("H23 H24 a call's limits hold", "[H23][H24]") {
  const File file{"fine"};
  Transfer transfer{file.url()};
  const auto result = with_timeout(5s, [&](const Call& call) { return transfer.easy.perform(call); });
  CHECK(result.code() == CURLE_OK);
  CHECK(with_timeout(5s, [&](const Call& call) { return curl::perform(transfer.easy, call); }).code() ==
        CURLE_OK);
}

TEST_CASE("H25 write_to appends; what does not fit into memory ends the transfer", "[H25]") {
  std::string text = "a";
  char data[] = "bc";
  CHECK(detail::curl_append(data, 1, 2, &text) == 2);
  CHECK(text == "abc");
  CHECK(detail::curl_append(data, 1, std::numeric_limits<std::size_t>::max() / 2, &text) == 0);
  CHECK(text == "abc");
}

TEST_CASE("H25 Headers keep their lines in order", "[H25]") {
  curl::Headers headers;
  CHECK(headers.get() == nullptr);
  headers.add("Accept: text/plain").add("X-Id: 7");
  REQUIRE(headers.get() != nullptr);
  CHECK(std::string{headers.get()->data} == "Accept: text/plain");
  REQUIRE(headers.get()->next != nullptr);
  CHECK(std::string{headers.get()->next->data} == "X-Id: 7");
  CHECK(headers.get()->next->next == nullptr);
}

TEST_CASE("H25 a line that would end its field is refused", "[H25]") {
  curl::Headers headers;
  for (const std::string& line :
       {std::string{"X-User: bob\r\nX-Admin: yes"}, std::string{"a\n"}, std::string{"X-Id: abc\0def", 13}}) {
    CHECK_THROWS_WITH(headers.add(line), "curl::Headers::add: line must be without CR, LF and NUL");
  }
  CHECK(headers.get() == nullptr);
}

TEST_CASE("H25 a handle can be moved", "[H25]") {
  const File file{"fine"};
  std::string body;
  curl::Handle first;
  curl_easy_setopt(first.get(), CURLOPT_URL, file.url().c_str());
  curl::write_to(first, body);
  CHECK(first.perform().code() == CURLE_OK);
  curl::Handle second = std::move(first);
  CHECK(second.perform().code() == CURLE_OK);
  CHECK(body == "finefine");
}

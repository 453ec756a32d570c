#include <fusebox/adapters/hiredis.hpp>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "catch.hpp"

using namespace fusebox;

namespace {

/// A reply as hiredis reads it from these bytes.
redis::Result reply_of(std::string_view bytes) {
  const std::unique_ptr<redisReader, void (*)(redisReader*)> reader{redisReaderCreate(), &redisReaderFree};
  REQUIRE(redisReaderFeed(reader.get(), bytes.data(), bytes.size()) == REDIS_OK);
  void* reply = nullptr;
  REQUIRE(redisReaderGetReply(reader.get(), &reply) == REDIS_OK);
  REQUIRE(reply != nullptr);
  const redisContext context{};
  return redis::result_of(&context, reply);
}

/// What a context leaves that has failed.
redis::Result error_of(int error, const std::string& text, int number = 0) {
  redisContext context{};
  context.err = error;
  std::strncpy(context.errstr, text.c_str(), sizeof context.errstr - 1);
  errno = number;
  return redis::result_of(&context, nullptr);
}

std::string text_of(int number) { return std::generic_category().message(number); }

}  // namespace

TEST_CASE("H56 a reply is a success unless it is an error", "[H56]") {
  CHECK(reply_of("+OK\r\n").text() == "OK");
  const redis::Result binary = reply_of({"$3\r\na\0b\r\n", 9});
  CHECK(binary.text() == std::string_view{"a\0b", 3});
  CHECK(binary.message().empty());
  CHECK_FALSE(binary.failure());
  CHECK_FALSE(binary.needs_reconnect());
  const redis::Result number = reply_of(":42\r\n");
  CHECK(number->integer == 42);
  CHECK((*number).integer == 42);
  CHECK_FALSE(number.text());
  const redis::Result nil = reply_of("$-1\r\n");
  CHECK(nil.ok());
  CHECK(nil.is_nil());
  CHECK_FALSE(nil.text());
  CHECK_FALSE(number.is_nil());
  const redis::Result list =
      reply_of("*2\r\n+a\r\n-ERR inside\r\n");  // EXEC: each command has its own result
  CHECK(list.ok());
  CHECK(list.get()->elements == 2);
}

TEST_CASE("H56 an error reply is a reply", "[H56]") {
  const redis::Result result = reply_of("-WRONGTYPE no list\r\n");
  CHECK_FALSE(result.ok());
  CHECK(result.has_reply());
  CHECK(result.message() == "WRONGTYPE no list");
  REQUIRE(result.failure());
  CHECK(result.failure()->code() == redis::Errc::wrong_type);
  CHECK_FALSE(result.needs_reconnect());
  CHECK(reply_of("-READONLY no\r\n").needs_reconnect());
  CHECK(reply_of("-UNBLOCKED force unblock from blocking operation\r\n").needs_reconnect());
  CHECK_FALSE(reply_of("-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n").needs_reconnect());
  CHECK_FALSE(reply_of("+READONLY\r\n").needs_reconnect());
}

TEST_CASE("H56 errors of the connection", "[H56]") {
  const auto code = [](int error, const std::string& text, int number = 0) {
    const redis::Result result = error_of(error, text, number);
    CHECK_FALSE(result.has_reply());
    CHECK(result.needs_reconnect());
    CHECK(result.message() == text);
    REQUIRE(result.failure());
    return result.failure()->code();
  };
  CHECK(code(REDIS_ERR_IO, text_of(ECONNREFUSED), ECONNREFUSED) == std::errc::connection_refused);
  CHECK(code(REDIS_ERR_IO, text_of(ECONNRESET), ECONNRESET) == std::errc::connection_reset);
  CHECK(code(REDIS_ERR_IO, text_of(EPIPE), EPIPE) == std::errc::broken_pipe);
  CHECK(code(REDIS_ERR_IO, text_of(EAGAIN), EAGAIN) == NetworkErrc::timed_out);  // SO_RCVTIMEO
  CHECK(code(REDIS_ERR_IO, text_of(ETIMEDOUT), ETIMEDOUT) == NetworkErrc::timed_out);
  CHECK(code(REDIS_ERR_IO, text_of(ENOENT), ENOENT) == NetworkErrc::connection_refused);
  CHECK(code(REDIS_ERR_IO, text_of(EMFILE), EMFILE) == std::errc::too_many_files_open);
  CHECK(code(REDIS_ERR_EOF, "Server closed the connection") == NetworkErrc::connection_reset);
  CHECK(code(REDIS_ERR_OOM, "Out of memory") == std::errc::not_enough_memory);
  CHECK(code(6, "recv timeout") == NetworkErrc::timed_out);  // REDIS_ERR_TIMEOUT of hiredis 1.0
  CHECK(code(REDIS_ERR_OTHER, gai_strerror(EAI_NONAME)) == NetworkErrc::host_not_found);
  CHECK(code(REDIS_ERR_OTHER, gai_strerror(EAI_AGAIN)) == NetworkErrc::host_not_found);
#ifdef EAI_NODATA
  CHECK(code(REDIS_ERR_OTHER, gai_strerror(EAI_NODATA)) == NetworkErrc::host_not_found);
#endif
  CHECK(code(REDIS_ERR_OTHER, "Can't create socket: " + text_of(EHOSTUNREACH)) ==
        std::errc::host_unreachable);
}

TEST_CASE("H56 errno is believed only if the context says the same", "[H56]") {
  CHECK(error_of(REDIS_ERR_IO, text_of(ECONNRESET), EBADF).failure()->code() == std::errc::connection_reset);
  CHECK(error_of(REDIS_ERR_IO, "poll(2): " + text_of(ECONNREFUSED), 0).failure()->code() ==
        std::errc::connection_refused);
  CHECK(error_of(REDIS_ERR_IO, text_of(ENOSPC), ENOSPC).failure()->code() == std::errc::no_space_on_device);
  const auto unknown = error_of(REDIS_ERR_IO, "Invalid timeout specified", ECONNRESET).failure();
  REQUIRE(unknown);
  CHECK(unknown->code().category().name() == std::string_view{"hiredis"});
  CHECK_FALSE(unknown->is_transient());
}

TEST_CASE("H56 garbage is no network error", "[H56]") {
  const auto garbage = error_of(REDIS_ERR_PROTOCOL, "Protocol error, got \"H\" as reply type byte").failure();
  REQUIRE(garbage);
  CHECK_FALSE(garbage->is_transient());
  CHECK(garbage->message() == "not the protocol of Redis");
  CHECK(default_outcome(*garbage) == Outcome::failure);
  CHECK(error_of(REDIS_ERR_OTHER, "Invalid format string").failure()->message() == "error of hiredis");
}

TEST_CASE("H56 a context that could not be made", "[H56]") {
  const redis::Result result = redis::result_of(nullptr, nullptr);
  REQUIRE(result.failure());
  CHECK(result.failure()->code() == std::errc::not_enough_memory);
}

TEST_CASE("H59 the error of an upstream for a failed command", "[H59]") {
  CHECK_FALSE(upstream_error(reply_of("+OK\r\n"), "cache"));
  const auto loading = upstream_error(reply_of("-LOADING wait\r\n"), "cache");
  REQUIRE(loading);
  CHECK(loading->code() == ErrorCode::service_unavailable);
  CHECK(loading->message() == "cache: LOADING wait");
  CHECK(loading->reason() == redis::Errc::loading);
  CHECK(loading->is_upstream());
  CHECK(loading->upstream() == "cache");
  CHECK(loading->retry_after());
  const auto lost = upstream_error(error_of(REDIS_ERR_EOF, "Server closed the connection"), "cache");
  REQUIRE(lost);
  CHECK(lost->code() == ErrorCode::bad_gateway);
  CHECK(lost->category() == ErrorCategory::network);
  CHECK(lost->reason() == NetworkErrc::connection_reset);
}

// H50 to H54: adapters/grpc.hpp beside a gRPC server in a process of its own, which can be killed. No
// protobuf: the service is generic, and a method's name says what it answers.
#include <fusebox/adapters/grpc.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>
#include <fusebox/timeout.hpp>

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../server_process.hpp"
#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using grpc::StatusCode;

namespace {

// The server.

/// Reads the request, then answers as the name of the method says.
class Answer final : public grpc::ServerGenericBidiReactor {
 public:
  explicit Answer(grpc::GenericCallbackServerContext* context) : context_{context} { StartRead(&message_); }

  void OnReadDone(bool) override {
    const std::string method = context_->method();
    if (method == "/shop/ok") return StartWriteAndFinish(&message_, {}, grpc::Status::OK);
    if (method == "/shop/silent") return;  // until it is cancelled
    if (method == "/shop/busy") return Finish({StatusCode::UNAVAILABLE, "busy"});
    if (method == "/shop/pushback") {
      add_retry_pushback(*context_, 30ms);
      return Finish({StatusCode::RESOURCE_EXHAUSTED, "slow down"});
    }
    if (method == "/shop/final") {
      add_retry_pushback(*context_, -1ms);
      return Finish({StatusCode::UNAVAILABLE, "closing for good"});
    }
    if (method == "/shop/words") {
      context_->AddTrailingMetadata("grpc-retry-pushback-ms", "soon");
      return Finish({StatusCode::UNAVAILABLE, ""});
    }
    if (method == "/shop/info") {
      const ApiError error = ApiError{ErrorCode::rate_limit_exceeded, "slow down"}.with_retry_after(1500ms);
      return Finish(to_grpc_status(error));
    }
    if (method == "/shop/garbage") return Finish({StatusCode::UNAVAILABLE, "", std::string(100, '\xff')});
    if (method == "/shop/broken") {
      return Finish(to_grpc_status(std::make_exception_ptr(std::runtime_error{"secret"})));
    }
    Finish({StatusCode::NOT_FOUND, "no " + method});
  }
  void OnCancel() override {
    if (context_->method() == "/shop/silent") Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  grpc::GenericCallbackServerContext* context_;
  grpc::ByteBuffer message_;
};

class Shop final : public grpc::CallbackGenericService {
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    return new Answer{context};
  }
};

/// The other process.
class ServerProcess {
 public:
  ServerProcess() : process_{{servers::program("FUSEBOX_GRPC_SERVER"), "[.serve]"}, folder_.file("log")} {}

 private:
  servers::Folder folder_;
  servers::Process process_;
};

// The client.

class Client {
 public:
  explicit Client(int port) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 20);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 20);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 50);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stub_ = std::make_unique<grpc::GenericStub>(grpc::CreateCustomChannel(
        "127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials(), arguments));
  }

  /// A unary call; `began` is called once it is under way.
  template <class Began>
  GrpcResult call(const std::string& method, const Deadline& deadline, const StopToken& token, Began began) {
    grpc::ClientContext context;
    set_deadline(context, deadline);
    const CancelOnStop cancel{context, token};
    const grpc::Slice bytes{"fusebox"};
    const grpc::ByteBuffer request{&bytes, 1};
    grpc::ByteBuffer reply;
    std::mutex mutex;
    std::condition_variable ended;
    std::optional<grpc::Status> status;
    stub_->UnaryCall(&context, "/shop/" + method, {}, &request, &reply, [&](grpc::Status end) {
      const std::lock_guard lock{mutex};
      status = std::move(end);
      ended.notify_one();
    });
    began();
    std::unique_lock lock{mutex};
    ended.wait(lock, [&] { return status.has_value(); });
    if (status->ok()) CHECK(reply.Length() == bytes.size());
    return grpc_result(*status, context);
  }
  GrpcResult call(const std::string& method, const Deadline& deadline = Deadline::after(10s)) {
    return call(method, deadline, {}, [] {});
  }

 private:
  std::unique_ptr<grpc::GenericStub> stub_;
};

std::optional<Failure> judge(const GrpcResult& result) { return failure_traits<GrpcResult>::failure(result); }

/// A server and its client, for all tests but those that kill it.
struct Pair {
  int port = servers::free_port();
  std::unique_ptr<ServerProcess> server;
  Client client{port};

  Pair() {
    start();
    REQUIRE(servers::comes_true([&] { return client.call("ok").ok(); }));
  }
  void start() {
    ::setenv("FUSEBOX_GRPC_PORT", std::to_string(port).c_str(), 1);
    server = std::make_unique<ServerProcess>();
  }
};

Pair& shared() {
  static Pair pair;
  return pair;
}

}  // namespace

TEST_CASE("H50 serves, until it is killed", "[.serve]") {
  const char* const port = std::getenv("FUSEBOX_GRPC_PORT");
  REQUIRE(port != nullptr);
  Shop shop;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(std::string{"127.0.0.1:"} + port, grpc::InsecureServerCredentials());
  builder.RegisterCallbackGenericService(&shop);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  REQUIRE(server);
  server->Wait();
}

TEST_CASE("H50 statuses of a real server are judged", "[H50]") {
  Client& client = shared().client;
  CHECK_FALSE(judge(client.call("ok")));
  const auto missing = judge(client.call("missing"));
  REQUIRE(missing);
  CHECK(missing->status() == 404);
  CHECK(missing->message() == "gRPC NOT_FOUND: no /shop/missing");
  CHECK(default_outcome(*missing) == Outcome::success);
  int calls = 0;
  const auto busy =
      retry_with_backoff([&] { return ++calls, client.call("busy"); }, {.max_retries = 2}, test::FakeClock{});
  CHECK(calls == 3);
  CHECK(busy.error().code() == std::error_code{StatusCode::UNAVAILABLE, grpc_category()});
}

TEST_CASE("H51 the pushback of a real server's trailers is the wait of the retry", "[H51]") {
  Client& client = shared().client;
  const test::FakeClock clock;
  const auto result =
      retry_with_backoff([&] { return client.call("pushback"); },
                         {.max_retries = 2, .base_delay = 1ms, .jitter = Jitter::none}, clock);
  CHECK(clock.sleeps() == std::vector<std::chrono::nanoseconds>{30ms, 30ms});
  CHECK(result.error().status() == 429);
  for (const char* method : {"final", "words"}) {
    const auto once = retry_with_backoff([&] { return client.call(method); }, {.max_retries = 2}, clock);
    CHECK(once.stats.attempts == 1);
    CHECK(default_outcome(once.error()) == Outcome::failure);
  }
}

TEST_CASE("H52 H53 a RetryInfo travels from a server's ApiError to the client's Failure", "[H52][H53]") {
  Client& client = shared().client;
  const auto failure = judge(client.call("info"));
  REQUIRE(failure);
  CHECK(failure->status() == 429);
  CHECK(failure->retry_after() == 1500ms);
  CHECK(failure->message() == "gRPC RESOURCE_EXHAUSTED: slow down");
  const auto garbage = judge(client.call("garbage"));
  REQUIRE(garbage);
  CHECK_FALSE(garbage->retry_after());
  const GrpcResult broken = client.call("broken");
  CHECK(broken.status.error_code() == StatusCode::INTERNAL);
  CHECK(broken.status.error_message() == "Internal server error");
}

TEST_CASE("H54 the limit around a call ends it with a timeout", "[H54]") {
  Client& client = shared().client;
  const auto failure = judge(client.call("silent", Deadline::after(50ms)));
  REQUIRE(failure);
  CHECK(failure->is_timeout());
  CHECK(failure->is_transient());
  const auto late = judge(client.call("ok", Deadline::after(0ns)));
  REQUIRE(late);
  CHECK(late->is_timeout());
}

TEST_CASE("H54 a timeout policy stops the call that it limits, by deadline and token", "[H54]") {
  Client& client = shared().client;
  auto pipeline = compose(total_timeout(50ms));
  const auto begin = std::chrono::steady_clock::now();
  try {
    (void)pipeline.execute(
        [&](const Call& call) { return client.call("silent", call.deadline(), call.stop_token(), [] {}); });
    FAIL("no timeout");
  } catch (const TimeoutError&) {
    CHECK(std::chrono::steady_clock::now() - begin < 5s);
  }
}

#if FUSEBOX_DETAIL_STOP_TOKEN
TEST_CASE("H54 a stop cancels the call, also before it begins", "[H54]") {
  Client& client = shared().client;
  std::stop_source source;
  const auto stopped =
      judge(client.call("silent", Deadline::never(), source.get_token(), [&] { source.request_stop(); }));
  REQUIRE(stopped);
  CHECK(stopped->is_cancellation());
  CHECK(default_outcome(*stopped) == Outcome::ignored);
  const auto before = judge(client.call("ok", Deadline::never(), source.get_token(), [] {}));
  REQUIRE(before);
  CHECK(before->is_cancellation());
  CHECK_FALSE(judge(client.call("ok")));
}
#endif

TEST_CASE("H50 a server killed in the middle of a call is UNAVAILABLE; the retry reaches the next one",
          "[H50]") {
  Pair pair;
  const auto killed = judge(pair.client.call("silent", Deadline::after(10s), {}, [&] {
    std::this_thread::sleep_for(50ms);  // the call is with the server, or it is refused, which is the same
    pair.server.reset();
  }));
  REQUIRE(killed);
  CHECK(killed->code() == std::error_code{StatusCode::UNAVAILABLE, grpc_category()});
  CHECK(killed->is_transient());

  CircuitBreaker<> breaker{"shop", {.failure_threshold = 1}};
  (void)breaker.execute([&] { return pair.client.call("ok"); });  // refused
  CHECK(breaker.state() == State::open);

  int calls = 0;
  const auto result = retry_with_backoff(
      [&] {
        if (++calls == 2) pair.start();
        return pair.client.call("ok");
      },
      {.max_retries = 200, .base_delay = 50ms, .max_delay = 50ms});
  CHECK(result.has_value());
  CHECK(calls > 1);
}

// support/caller.hpp: calls our own service, and prints the answer and its time.
#pragma once

#include <chrono>
#include <string>

#include <httplib.h>

#include "support/status.hpp"
#include "support/terminal.hpp"

namespace support {

/// Makes `send` request something from the service on `port`, and prints the answer and its time. The
/// timeout is long, because an answer can take most of a minute with the guide's own times.
template <class Send>
void say_answer(int port, Send send) {
  httplib::Client client{"127.0.0.1", port};
  client.set_read_timeout(std::chrono::minutes{5});
  const auto start = std::chrono::steady_clock::now();
  const httplib::Result answer = send(client);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  if (!answer) return say(Tone::bad, "  no answer: {}", httplib::to_string(answer.error()));
  const bool good = is_success(answer->status) && answer->body.find("false") == std::string::npos;
  say(good ? Tone::good : Tone::bad, "  {} {} in {:.1f} ms", answer->status, answer->body, took.count());
}

}  // namespace support

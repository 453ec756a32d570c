// support/caller.hpp: a caller of our own service, who looks at the answer and at the watch.
#pragma once

#include <chrono>
#include <string>

#include <httplib.h>

#include "support/terminal.hpp"

namespace support {

/// Lets `send` make a request of the service on `port`, and says what came back, and how long it took. The
/// caller is patient: with the guide's own times an answer can take most of a minute.
template <class Send>
void say_answer(int port, Send send) {
  httplib::Client client{"127.0.0.1", port};
  client.set_read_timeout(std::chrono::minutes{5});
  const auto start = std::chrono::steady_clock::now();
  const httplib::Result answer = send(client);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  if (!answer) return say(Tone::bad, "  no answer: {}", httplib::to_string(answer.error()));
  const bool good = answer->status < 400 && answer->body.find("false") == std::string::npos;
  say(good ? Tone::good : Tone::bad, "  {} {} in {:.1f} ms", answer->status, answer->body, took.count());
}

}  // namespace support

// support/caller.hpp: a caller of our own service, who looks at the answer and at the watch.
#pragma once

#include <chrono>
#include <string>

#include <httplib.h>

#include "support/terminal.hpp"

namespace support {

/// Sends a request, and says what came back, and how long it took.
template <class Send>
void say_answer(Send send) {
  const auto start = std::chrono::steady_clock::now();
  const httplib::Result answer = send();
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  if (!answer) return say(Tone::bad, "  no answer: {}", httplib::to_string(answer.error()));
  const bool good = answer->status < 400 && answer->body.find("false") == std::string::npos;
  say(good ? Tone::good : Tone::bad, "  {} {} in {:.1f} ms", answer->status, answer->body, took.count());
}

}  // namespace support

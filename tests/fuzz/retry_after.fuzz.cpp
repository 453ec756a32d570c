// parse_retry_after against the reference: free texts, numbers, and dates of every form with a few bytes
// changed.
#include <fusebox/http.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

#include "input.hpp"
#include "retry_after_reference.hpp"

namespace {

std::chrono::system_clock::time_point any_now(fuzz::Input& input) {
  const std::chrono::sys_days sample = std::chrono::year{1994} / 11 / 6;
  return input.flag() ? input.wall_time() : sample + std::chrono::seconds{31'777};
}

/// A date in one of the three forms; some of its numbers are just too large.
std::string any_date(fuzz::Input& input) {
  const unsigned form = input.below(3);
  const unsigned weekday = input.below(7);
  const unsigned day = input.below(33);
  const unsigned month = input.below(12);
  const unsigned year = static_cast<unsigned>(input.integer<std::uint16_t>()) % 10'000;
  const unsigned hour = input.below(25);
  const unsigned minute = input.below(61);
  const unsigned second = input.below(62);
  const char* const day_name = reference::day_names[weekday].data();
  const char* const month_name = reference::month_names[month].data();
  char text[64];
  switch (form) {
    case 0:
      std::snprintf(text, sizeof text, "%s, %02u %s %04u %02u:%02u:%02u GMT", day_name, day, month_name, year,
                    hour, minute, second);
      break;
    case 1:
      std::snprintf(text, sizeof text, "%s, %02u-%s-%02u %02u:%02u:%02u GMT",
                    reference::long_day_names[weekday].data(), day, month_name, year % 100, hour, minute,
                    second);
      break;
    default:
      std::snprintf(text, sizeof text, "%s %s %2u %02u:%02u:%02u %04u", day_name, month_name, day, hour,
                    minute, second, year);
  }
  return text;
}

/// Changes, inserts or removes bytes, as long as the input says so.
void edit(std::string& text, fuzz::Input& input) {
  while (!input.empty() && !text.empty()) {
    const std::size_t place = input.byte() % text.size();
    switch (input.below(4)) {
      case 0: text[place] = static_cast<char>(input.byte()); break;
      case 1: text.insert(place, 1, static_cast<char>(input.byte())); break;
      case 2: text.erase(place, 1); break;
      case 3: text += input.one_of({' ', '\t', '0', '\n'}); break;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input{data, size};
  const auto now = any_now(input);
  std::string value;
  switch (input.below(3)) {
    case 0: value = input.rest(); break;
    case 1:
      value = std::to_string(input.integer<std::uint64_t>());
      edit(value, input);
      break;
    default: value = any_date(input); edit(value, input);
  }

  const auto wanted = reference::parse_retry_after(value, now);
  const auto wait = fusebox::http::parse_retry_after(value, now);
  const auto got = wait ? std::optional<std::int64_t>{wait->count()} : std::nullopt;
  if (got != wanted) {
    const auto text = [](const auto& seconds) { return seconds ? std::to_string(*seconds) : "absent"; };
    fuzz::fail(fuzz::escaped(value) + " seen from " + std::to_string(now.time_since_epoch().count()) +
               " is " + text(got) + ", by the rules " + text(wanted));
  }
  return 0;
}

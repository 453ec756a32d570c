// fuzz/json.hpp: what a JSON document says, by nlohmann-json.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include <nlohmann/json.hpp>

#include "input.hpp"

namespace fuzz {

using Json = nlohmann::ordered_json;

/// The text with U+FFFD for what is no UTF-8.
inline std::string printable(const std::string& text) {
  const bool is_ascii = std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
  if (is_ascii) return text;
  return Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace)).get<std::string>();
}

inline std::size_t depth(const Json& json) {
  std::size_t deepest = 0;
  if (json.is_structured()) {
    for (const Json& inside : json) deepest = std::max(deepest, depth(inside) + 1);
  }
  return deepest;
}

/// A discarded value where the text is not JSON. The parser alone takes a byte order mark and whatever
/// follows a NUL, which RFC 8259 does not.
inline Json parse(const std::string& text) {
  if (text.find('\0') != std::string::npos || text.starts_with("\xEF\xBB\xBF")) {
    return Json(Json::value_t::discarded);
  }
  return Json::parse(text, nullptr, false);
}

/// Valid JSON, in valid UTF-8, that says what is wanted, in that order.
inline void check_document(const std::string& got, const Json& wanted) {
  const Json document = parse(got);
  check(!document.is_discarded(), "not JSON", got);
  if (document != wanted) {
    fail("the document says " + escaped(got) + ", what was put in is " + escaped(wanted.dump()));
  }
}

}  // namespace fuzz

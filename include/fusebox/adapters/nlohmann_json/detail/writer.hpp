// fusebox/adapters/nlohmann_json/detail/writer.hpp: JsonWriter, which writes an object by its table.
//
// It writes text, by the functions that write the library's own documents, so that numbers, times and texts
// are the same in both.
#pragma once
// IWYU pragma: private, include <fusebox/adapters/nlohmann_json.hpp>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <fusebox/adapters/nlohmann_json/detail/duration.hpp>
#include <fusebox/adapters/nlohmann_json/detail/failure.hpp>
#include <fusebox/adapters/nlohmann_json/detail/members.hpp>
#include <fusebox/detail/iso_time.hpp>
#include <fusebox/detail/json_writer.hpp>
#include <fusebox/detail/number_text.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/window.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Appends `write(element)` for each, in brackets.
template <class T, class Write>
void append_list(std::string& out, const std::vector<T>& values, Write write) {
  out.push_back('[');
  for (const T& value : values) {
    if (out.back() != '[') out.push_back(',');
    write(value);
  }
  out.push_back(']');
}

class FUSEBOX_API JsonWriter final : public MemberVisitor {
 public:
  explicit JsonWriter(JsonObject& out) : out_{out} {}

  static void write(std::string& out, const MembersRef& object) {
    JsonObject text{out};
    JsonWriter writer{text};
    object.visit(writer, object.object);
  }

  void member(const char* name, bool& value) override { out_.member(name).append(value ? "true" : "false"); }
  void member(const char* name, int& value) override { out_.number(name, value); }
  void member(const char* name, std::uint64_t& value) override { out_.number(name, value); }
  void member(const char* name, double& value) override {
    if (std::isfinite(value)) return out_.number(name, value);
    out_.member(name).append("null");
  }
  void member(const char* name, Window& value) override {
    JsonObject window{out_.member(name)};
    if (value.is_time()) {
      window.text("within", duration_to_json(value.length()));
    } else {
      window.number("last_calls", value.calls());
    }
  }
  void member(const char* name, std::optional<std::uint64_t>& value) override {
    if (value) out_.number(name, *value);
  }
  void member(const char* name, std::optional<std::chrono::system_clock::time_point>& value) override {
    if (value) out_.text(name, IsoTime{*value}.text());
  }
  void member(const char* name, std::optional<Failure>& value) override {
    if (value) append_failure(out_.member(name), *value);
  }
  void member(const char* name, std::vector<Failure>& value) override {
    std::string& out = out_.member(name);
    append_list(out, value, [&](const Failure& failure) { append_failure(out, failure); });
  }
  void member(const char* name, std::vector<std::uint64_t>& value) override {
    std::string& out = out_.member(name);
    append_list(out, value, [&](std::uint64_t number) { append_number(out, number); });
  }
  void member(const char* name, std::chrono::nanoseconds& value) override {
    out_.text(name, duration_to_json(value));
  }
  void member(const char* name, std::vector<std::chrono::nanoseconds>& value) override {
    std::string& out = out_.member(name);
    append_list(out, value,
                [&](std::chrono::nanoseconds time) { append_json_string(out, duration_to_json(time)); });
  }
  void milliseconds(const char* name, std::chrono::nanoseconds& value) override {
    out_.number(name, std::chrono::ceil<std::chrono::milliseconds>(value).count());
  }

 private:
  void one_of(const char* name, int& value, const EnumNames& names) override {
    const auto index = static_cast<std::size_t>(value - names.first);  // wraps below it
    out_.text(name, index < names.names.size() ? names.names[index] : "unknown");
  }
  void one_of_or_null(const char* name, int& value, const EnumNames& names) override {
    if (value != names.first - 1) return one_of(name, value, names);
    out_.member(name).append("null");
  }
  void object(const char* name, const MembersRef& value) override { write(out_.member(name), value); }
  void object_or_null(const char* name, const OptionalRef& value) override {
    std::string& out = out_.member(name);
    if (value.object == nullptr) {
      out.append("null");
    } else {
      write(out, value.emplace(value.optional));
    }
  }
  void objects(const char* name, const MapRef& value, const std::vector<std::string>& names) override {
    if (names.empty()) return;
    JsonObject all{out_.member(name)};
    for (const std::string& key : names) write(all.member(key), value.insert(value.map, key));
  }

  JsonObject& out_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

// fusebox/adapters/nlohmann_json/detail/reader.hpp: JsonReader, which reads an object by its table.
//
// It recurses no deeper than the tables do.
#pragma once
// IWYU pragma: private, include <fusebox/adapters/nlohmann_json.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <fusebox/adapters/nlohmann_json/detail/failure.hpp>
#include <fusebox/adapters/nlohmann_json/detail/members.hpp>
#include <fusebox/adapters/nlohmann_json/detail/value.hpp>
#include <fusebox/adapters/nlohmann_json/document.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/window.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// May objects have members that no table knows?
enum class UnknownMembers : bool { refuse, skip };

/// Reads an object by its table. A member that is not there stays what it is.
class FUSEBOX_API JsonReader final : public MemberVisitor {
 public:
  JsonReader(JsonMembers& members, UnknownMembers unknown) : members_{members}, unknown_{unknown} {}

  static void read(const JsonValue& value, const MembersRef& object, UnknownMembers unknown) {
    JsonMembers members{value};
    JsonReader{members, unknown}.read_all(object);
  }
  /// Reads all members. A problem of a known member comes after an unknown member.
  void read_all(const MembersRef& object) {
    object.visit(*this, object.object);
    if (unknown_ == UnknownMembers::refuse) members_.end();
    throw_if(members_, problem_);
  }

  void member(const char* name, bool& value) override { members_.read(name, value); }
  void member(const char* name, int& value) override { members_.read(name, value); }
  void member(const char* name, std::uint64_t& value) override { members_.read(name, value); }
  void member(const char* name, double& value) override { members_.read(name, value); }
  void member(const char* name, Window& value) override { members_.read(name, value); }
  void member(const char* name, std::optional<std::uint64_t>& value) override { read_optional(name, value); }
  void member(const char* name, std::optional<std::chrono::system_clock::time_point>& value) override {
    read_optional(name, value);
  }
  void member(const char* name, std::optional<Failure>& value) override {
    if (const auto found = members_.find(name)) value = read_failure(*found);
  }
  void member(const char* name, std::vector<Failure>& value) override {
    if (const auto found = members_.find(name)) {
      value.clear();
      found->each([&](const JsonValue& one) { value.push_back(read_failure(one)); });
    }
  }
  void member(const char* name, std::vector<std::uint64_t>& value) override { read_list(name, value); }
  void member(const char* name, std::chrono::nanoseconds& value) override { members_.read(name, value); }
  void member(const char* name, std::vector<std::chrono::nanoseconds>& value) override {
    read_list(name, value);
  }
  void required(const char* name, std::chrono::nanoseconds& value) override { members_.require(name, value); }
  void milliseconds(const char* name, std::chrono::nanoseconds& value) override {
    if (const auto found = members_.find(name)) {
      constexpr auto most = std::chrono::floor<std::chrono::milliseconds>(std::chrono::nanoseconds::max());
      const auto number = found->whole_number(0, most.count() + 1);
      // The last millisecond is not whole: what is rounded up to it is the longest time.
      value = number > most.count() ? std::chrono::nanoseconds::max() : std::chrono::milliseconds{number};
    }
  }
  void refuse_if(bool is_wrong, const char* name, const char* why) override {
    if (is_wrong) throw_error(JsonError{members_.path_of(name), why});
  }
  void checked(const Problem& problem) override {
    if (!problem_) problem_ = problem;
  }

 private:
  template <class T>
  void read_optional(const char* name, std::optional<T>& value) {
    if (const auto found = members_.find(name)) {
      T given{};
      found->read(given);
      value = given;
    }
  }
  template <class T>
  void read_list(const char* name, std::vector<T>& value) {
    if (const auto found = members_.find(name)) {
      value.clear();
      found->each([&](const JsonValue& one) { one.read(value.emplace_back()); });
    }
  }
  void one_of(const char* name, int& value, const EnumNames& names) override {
    if (const auto found = members_.find(name)) value = found->read_name(names);
  }
  void one_of_or_null(const char* name, int& value, const EnumNames& names) override {
    if (const auto found = members_.find(name))
      value = found->value().is_null() ? names.first - 1 : found->read_name(names);
  }
  void object(const char* name, const MembersRef& value) override {
    if (const auto found = members_.find(name)) read(*found, value, unknown_);
  }
  void object_or_null(const char* name, const OptionalRef& value) override {
    const auto found = members_.find(name);
    if (!found) return;
    if (found->value().is_null()) {
      value.reset(value.optional);
    } else {
      read(*found, value.emplace(value.optional), unknown_);
    }
  }
  void objects(const char* name, const MapRef& value, const std::vector<std::string>& /*names*/) override {
    const auto found = members_.find(name);
    if (!found) return;
    if (!found->value().is_object()) found->fail("must be an object");
    for (const auto& [key, one] : found->value().items())
      read(found->member(one, key), value.insert(value.map, key), unknown_);
  }

  JsonMembers& members_;
  UnknownMembers unknown_;
  Problem problem_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE

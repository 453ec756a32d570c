// fusebox/adapters/nlohmann_json/detail/members.hpp: MemberVisitor, which is shown the members of an object.
//
// Each config and each stats type has one function members_of(visitor, object), its *table*: the JSON name
// and the place of every member. A visitor reads all of them from JSON, another one writes them, tests count
// and list them. Visitors are no templates, so that a table compiles once.
#pragma once
// IWYU pragma: private, include <fusebox/adapters/nlohmann_json.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <fusebox/detail/macros.hpp>
#include <fusebox/detail/named_enum.hpp>
#include <fusebox/detail/no_destroy.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/window.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

class MemberVisitor;

/// An object that has a table, whatever its type.
struct MembersRef {
  void* object;
  void (*visit)(MemberVisitor&, void*);
};

/// An object that may be absent.
struct OptionalRef {
  void* object;  // null: absent
  MembersRef (*emplace)(void* optional);
  void (*reset)(void* optional);
  void* optional;
};

/// Objects by name.
struct MapRef {
  void* map;
  MembersRef (*insert)(void* map, const std::string& name);
};

/// The JSON names of an enum's values, from the value `first` on.
struct EnumNames {
  int first;
  std::vector<std::string_view> names;
};

/// Those that to_string() has. NetworkErrc and PolicyErrc have messages there.
template <class E>
  requires NamedEnum<E> && (!OneOf<E, ErrorCode, NetworkErrc, PolicyErrc>)
[[nodiscard]] const EnumNames& enum_names() {
  static const NoDestroy<EnumNames> all{[] {
    EnumNames names{std::same_as<E, ErrorCategory> ? 1 : 0, {}};
    for (int value = names.first;; ++value) {
      const std::string_view name = to_string(static_cast<E>(value));
      if (name == "unknown") return names;
      names.names.push_back(name);
    }
  }()};
  return *all;
}

/// Throws std::logic_error for a member of a kind that it does not override.
class FUSEBOX_API MemberVisitor {
 public:
  MemberVisitor() = default;
  MemberVisitor(const MemberVisitor&) = delete;
  MemberVisitor& operator=(const MemberVisitor&) = delete;

  virtual void member(const char* name, bool& value) = 0;
  virtual void member(const char* name, int& value) = 0;
  virtual void member(const char* name, std::uint64_t& value) = 0;
  virtual void member(const char* name, double& value) = 0;
  virtual void member(const char* name, Window& value) = 0;
  /// A text with a unit.
  virtual void member(const char* name, std::chrono::nanoseconds& value) = 0;
  /// The same, for a member without a default.
  virtual void required(const char* name, std::chrono::nanoseconds& value) { member(name, value); }
  virtual void member(const char* name, std::vector<std::chrono::nanoseconds>& /*value*/) { refuse(name); }
  /// Members that do not go together.
  virtual void refuse_if(bool /*is_wrong*/, const char* /*name*/, const char* /*why*/) {}
  /// What the check of a config says, after its members.
  virtual void checked(const Problem& /*problem*/) {}

  // What only stats have.
  virtual void member(const char* name, std::vector<std::uint64_t>& /*value*/) { refuse(name); }
  virtual void member(const char* name, std::optional<std::uint64_t>& /*value*/) { refuse(name); }
  virtual void member(const char* name, std::optional<std::chrono::system_clock::time_point>& /*value*/) {
    refuse(name);
  }
  virtual void member(const char* name, std::optional<Failure>& /*value*/) { refuse(name); }
  virtual void member(const char* name, std::vector<Failure>& /*value*/) { refuse(name); }
  /// A whole number of milliseconds, rounded up.
  virtual void milliseconds(const char* name, std::chrono::nanoseconds& /*value*/) { refuse(name); }

  /// One of the names.
  template <class E>
    requires std::is_enum_v<E>
  void member(const char* name, E& value, const EnumNames& names = enum_names<E>()) {
    auto number = static_cast<int>(value);
    one_of(name, number, names);
    value = static_cast<E>(number);
  }
  template <class E>
    requires std::is_enum_v<E>
  void member(const char* name, std::optional<E>& value, const EnumNames& names) {
    const int none = names.first - 1;
    int number = value ? static_cast<int>(*value) : none;
    one_of_or_null(name, number, names);
    value = number == none ? std::nullopt : std::optional{static_cast<E>(number)};
  }

  /// An object inside this one.
  template <class T>
    requires std::is_class_v<T>
  void member(const char* name, T& value);
  /// The same; null if it is absent.
  template <class T>
  void member(const char* name, std::optional<T>& value);
  /// Objects by name: an object of objects, left out if there are none.
  template <class T>
  void member(const char* name, std::map<std::string, T>& value);

 protected:
  ~MemberVisitor() = default;

  virtual void one_of(const char* name, int& value, const EnumNames& names) = 0;
  /// names.first - 1: null.
  virtual void one_of_or_null(const char* name, int& /*value*/, const EnumNames& /*names*/) { refuse(name); }
  virtual void object(const char* name, const MembersRef& /*value*/) { refuse(name); }
  virtual void object_or_null(const char* name, const OptionalRef& value) = 0;
  virtual void objects(const char* name, const MapRef& /*value*/, const std::vector<std::string>& /*names*/) {
    refuse(name);
  }

 private:
  /// No visitor leaves a member out silently.
  [[noreturn]] static void refuse(const char* name) {
    throw_error(std::logic_error{std::string{name} + " is of a kind that this visitor does not know"});
  }
};

/// Finds the table of a T.
template <class T>
[[nodiscard]] MembersRef members_ref(T& object) {
  return {&object, [](MemberVisitor& visitor, void* its) { members_of(visitor, *static_cast<T*>(its)); }};
}

template <class T>
  requires std::is_class_v<T>
void MemberVisitor::member(const char* name, T& value) {
  object(name, members_ref(value));
}
template <class T>
void MemberVisitor::member(const char* name, std::optional<T>& value) {
  const auto emplace = [](void* optional) {
    auto& its = *static_cast<std::optional<T>*>(optional);
    return members_ref(its ? *its : its.emplace());
  };
  object_or_null(name, {value ? &*value : nullptr, emplace,
                        [](void* optional) { static_cast<std::optional<T>*>(optional)->reset(); }, &value});
}
template <class T>
void MemberVisitor::member(const char* name, std::map<std::string, T>& value) {
  std::vector<std::string> names;
  for (const auto& [key, unused] : value) names.push_back(key);
  objects(name,
          {&value,
           [](void* map, const std::string& key) {
             return members_ref((*static_cast<std::map<std::string, T>*>(map))[key]);
           }},
          names);
}

}  // namespace detail

FUSEBOX_END_NAMESPACE

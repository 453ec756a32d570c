// fusebox/failure/detail/exception_text.hpp: the text of an exception of any type (F8).
#pragma once
// IWYU pragma: private, include <fusebox/failure.hpp>

#include <exception>
#include <stdexcept>
#include <string>
#include <system_error>

#include <fusebox/detail/macros.hpp>
#include <fusebox/failure/detail/caught_as.hpp>

#if FUSEBOX_DETAIL_WALK_BASES
#include <cstddef>
#include <cstring>
#include <typeinfo>

#include <cxxabi.h>
#endif

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

inline constexpr const char* no_exception_text = "exception without a text";

[[nodiscard]] inline std::string text_of(const std::exception& exception) {
  const char* const text = exception.what();
  return text != nullptr ? text : no_exception_text;
}

#if FUSEBOX_DETAIL_WALK_BASES
/// The first public std::exception among the bases of the object; null if there is none. A handler finds none
/// if there are several.
[[nodiscard]] inline const std::exception* first_exception_base(const std::type_info& type,
                                                                const void* object) noexcept {
  if (type == typeid(std::exception)) return static_cast<const std::exception*>(object);
  if (const auto* single = dynamic_cast<const abi::__si_class_type_info*>(&type)) {
    return first_exception_base(*single->__base_type, object);
  }
  const auto* const several = dynamic_cast<const abi::__vmi_class_type_info*>(&type);
  if (several == nullptr) return nullptr;
  for (unsigned i = 0; i < several->__base_count; ++i) {
    const abi::__base_class_type_info& base = several->__base_info[i];
    if (!base.__is_public_p()) continue;
    std::ptrdiff_t offset = base.__offset();
    if (base.__is_virtual_p()) {  // then it says where in the virtual table the offset is
      const char* table = nullptr;
      std::memcpy(&table, object, sizeof table);
      std::memcpy(&offset, table + offset, sizeof offset);
    }
    const void* const part = static_cast<const char*>(object) + offset;
    if (const auto* found = first_exception_base(*base.__base_type, part)) return found;
  }
  return nullptr;
}
#endif

#if FUSEBOX_DETAIL_EXCEPTIONS
/// The text of an exception that no handler for std::exception takes.
[[nodiscard]] FUSEBOX_DETAIL_COLD inline std::string text_of_unknown(const std::exception_ptr& exception) {
#if FUSEBOX_DETAIL_WALK_BASES
  if (const std::type_info* const type = exception.__cxa_exception_type()) {
    const auto* const base = first_exception_base(*type, thrown_object(exception));
    if (base != nullptr) return text_of(*base);
  }
  return "unknown exception";
#else
  try {
    std::rethrow_exception(exception);
  } catch (const std::runtime_error& error) {
    return text_of(error);
  } catch (const std::logic_error& error) {
    return text_of(error);
  } catch (...) {
    return "unknown exception";
  }
#endif
}

[[nodiscard]] FUSEBOX_DETAIL_COLD inline std::string text_of(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& error) {
    return text_of(error);
  } catch (const std::error_code& code) {
    return code.message();
  } catch (...) {
    return text_of_unknown(exception);
  }
}
#endif

}  // namespace detail

FUSEBOX_END_NAMESPACE

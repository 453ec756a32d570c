// fusebox/failure/translate.hpp: how a program teaches the library its exceptions (F6).
#pragma once
// IWYU pragma: private, include <fusebox/failure.hpp>

#include <atomic>
#include <exception>
#include <optional>

#include <fusebox/detail/macros.hpp>
#include <fusebox/fwd.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// Says what an exception stands for; std::nullopt if it does not know the exception. It rethrows the pointer
/// to look at the exception, and is called by several threads at once. One that throws counts as one that
/// does not know.
///
///     std::optional<fusebox::Failure> translate_pq(const std::exception_ptr& exception) {
///       try {
///         std::rethrow_exception(exception);
///       } catch (const pqxx::broken_connection&) {
///         return fusebox::Failure{fusebox::NetworkErrc::connection_reset};
///       } catch (...) {
///         return std::nullopt;
///       }
///     }
using FailureTranslator = std::optional<Failure> (*)(const std::exception_ptr& exception);

namespace detail {

/// A list of all translators, the latest first. It only grows, so that readers need no lock.
struct TranslatorNode {
  FailureTranslator translator;
  const TranslatorNode* next;
};

[[nodiscard]] FUSEBOX_API inline std::atomic<const TranslatorNode*>& translators() noexcept {
  static std::atomic<const TranslatorNode*> latest{nullptr};
  return latest;
}

}  // namespace detail

/// Adds a translator for the whole process, for good. The library asks about exceptions that it does not know
/// itself: any but ApiError, std::system_error, std::error_code, ConfigError and what derives from them. The
/// translator that was registered last is asked first. Thread-safe; may throw std::bad_alloc. A null pointer
/// is ignored.
inline void register_failure_translator(FailureTranslator translator) {
  if (translator == nullptr) return;
  auto& latest = detail::translators();
  auto* const node = new detail::TranslatorNode{translator, latest.load(std::memory_order_relaxed)};
  while (
      !latest.compare_exchange_weak(node->next, node, std::memory_order_release, std::memory_order_relaxed)) {
  }
}

FUSEBOX_END_NAMESPACE

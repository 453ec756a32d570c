#include <fusebox/circuit_breaker.hpp>
#include <fusebox/circuit_breaker/detail/rejection_sources.hpp>

#include <string>

#include "catch.hpp"

using namespace fusebox;
using detail::RejectionSources;

TEST_CASE("B18 a rejection's text says in which state the breaker was", "[B18]") {
  const RejectionSources sources{"b"};
  const auto text = [&](State state) { return std::string{sources.of(state)->text.what()}; };
  CHECK(sources.name() == "b");
  CHECK(text(State::closed) == "circuit breaker 'b' is recovering");
  CHECK(text(State::open) == "circuit breaker 'b' is open");
  CHECK(text(State::half_open) == "circuit breaker 'b' is half-open and admits no further probe");
  CHECK(text(State::forced_open) == "circuit breaker 'b' is forced open");
}

TEST_CASE("B18 rejections while open and half-open find the cause of their opening, others find none",
          "[B18]") {
  RejectionSources sources{"b"};
  const Failure failure = Failure::from_status(503);
  sources.put_cause(7, detail::make_cause(&failure));
  const auto& causes = *sources.of(State::open)->causes;
  CHECK(sources.of(State::half_open)->causes == sources.of(State::open)->causes);
  CHECK(causes.at(6) == nullptr);
  CHECK((*causes.at(7))->status() == 503);
  CHECK((*causes.at(8))->status() == 503);  // half-open
  CHECK_FALSE(sources.of(State::forced_open)->causes);
  CHECK_FALSE(sources.of(State::closed)->causes);
}

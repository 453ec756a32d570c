#include "storm/progress.hpp"

#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>

#include "catch.hpp"

namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

File temporary() { return {std::tmpfile(), &std::fclose}; }

std::string written(std::FILE* file) {
  std::string text(static_cast<std::size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  text.resize(std::fread(text.data(), 1, text.size(), file));
  return text;
}

}  // namespace

TEST_CASE("S21 no progress is written to what is no terminal", "[S21]") {
  const File file = temporary();
  REQUIRE(file);
  CHECK_FALSE(storm::is_terminal(file.get()));
  storm::Progress progress{file.get()};
  progress.show("outage", 1, 2);
  progress.show("outage", 2, 2);
  progress.clear();
  CHECK(std::ftell(file.get()) == 0);
}

TEST_CASE("S21 a terminal shows the share that is done, and no trace of it at the end", "[S21]") {
  const File file = temporary();
  REQUIRE(file);
  {
    storm::Progress progress{file.get(), true};
    progress.show("outage \x1b[31m", 1, 2);
    progress.show("outage", 1.5, 2);  // too soon after the first
    progress.show("outage", 2, 2);    // the end is always shown
  }
  const std::string text = written(file.get());
  CHECK(text.find("[===============>              ]  50 %") != std::string::npos);
  CHECK(text.find(" 75 %") == std::string::npos);
  CHECK(text.find("[==============================] 100 %") != std::string::npos);
  CHECK(text.find("\x1b[31m") == std::string::npos);
  CHECK(text.ends_with("\r\x1b[K"));
}

TEST_CASE("S21 nothing done of nothing is all", "[S21]") {
  const File file = temporary();
  REQUIRE(file);
  storm::Progress progress{file.get(), true};
  progress.show("nothing", 0, 0);
  CHECK(written(file.get()).find("100 %") != std::string::npos);
}

// Catch2, version 3 or 2, whichever is installed.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif

// gcov counts what runs: with FUSEBOX_RUN_STATIC_REQUIRE, tables that the compiler checks run too.
#ifdef FUSEBOX_RUN_STATIC_REQUIRE
#undef STATIC_REQUIRE
#undef STATIC_REQUIRE_FALSE
#define STATIC_REQUIRE(...) REQUIRE((__VA_ARGS__))
#define STATIC_REQUIRE_FALSE(...) REQUIRE_FALSE((__VA_ARGS__))
#endif

// Catch2 version 2 is a single header: its main and its machinery are compiled here, once.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>

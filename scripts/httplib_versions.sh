#!/bin/sh
# Runs the tests of adapters/httplib.hpp against other versions of cpp-httplib: scripts/httplib_versions.sh FOLDER…
# A folder has the httplib.h of a version, and its httplib.cpp if that is split. Needs g++, OpenSSL, Catch2, fmt, nginx.
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || { echo "usage: scripts/httplib_versions.sh FOLDER…" >&2; exit 2; }
nginx=$(PATH=$PATH:/usr/sbin:/usr/local/sbin; command -v nginx)
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

compile() { # the output, then the sources
  output=$1
  shift
  "${CXX:-g++}" -std=c++20 -DCPPHTTPLIB_OPENSSL_SUPPORT -isystem "$folder" -Iinclude -Itests -o "$output" "$@"
}

for folder in "$@"; do
  version=$(sed -n 's/.*CPPHTTPLIB_VERSION "\(.*\)"/\1/p' "$folder/httplib.h")
  echo "cpp-httplib ${version:-of an unknown version}"
  set -- tests/catch_main.cpp
  [ ! -f "$folder/httplib.cpp" ] || set -- "$@" "$folder/httplib.cpp"
  compile "$build/unit" tests/unit/adapters/httplib.test.cpp "$@" -lssl -lcrypto -lfmt -pthread
  "$build/unit"
  compile "$build/integration" tests/integration/httplib_adapter.cpp "$@" -lssl -lcrypto -lfmt -pthread
  python3 -B tests/integration/run_httplib.py "$build/integration" "$nginx" "$(command -v openssl)"
done

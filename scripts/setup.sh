#!/bin/sh
# Installs what a make target needs and the machine lacks, with the system's package manager.
#
#   scripts/setup.sh [PURPOSE]      (default: test; the make targets name their own)
#
# FUSEBOX_SETUP=no installs nothing. Run again when all is there, it does nothing.
set -eu

purpose=${1:-test}
say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
compiler() { for c in "${CXX:-c++}" g++ clang++; do have "$c" && { echo "$c"; return; }; done; return 1; }
# header NAME [COMPILER OPTION...]
header() {
  name=$1
  shift
  [ $# -gt 0 ] || set -- "$(compiler)"
  printf '#include <%s>\n' "$name" | "$@" -std=c++20 -E -x c++ - >/dev/null 2>&1
}

# Does this clang have libFuzzer and the sanitizers?
runtime() { have "$1" && [ -n "$(find "$("$1" -print-resource-dir)" -follow -name 'libclang_rt.fuzzer*' 2>/dev/null)" ]; }

# Is a need met?
met() {
  case $1 in
    compiler) compiler >/dev/null ;;
    gxx) have g++ ;;
    git) have git ;;
    cmake) # the presets need 3.25
      have cmake && cmake --version | awk 'NR == 1 { split($3, v, "."); exit !(v[1] > 3 || v[1] == 3 && v[2] >= 25) }' ;;
    ninja) have ninja ;;
    meson) have meson ;;
    python) have python3 ;;
    pkgconf) have pkg-config ;;
    fmt) header fmt/format.h ;;
    catch2) header catch2/catch_all.hpp || header catch2/catch.hpp ;;
    httplib) header httplib.h ;;
    json) header nlohmann/json.hpp ;;
    benchmark) header benchmark/benchmark.h ;;
    clang_format) have clang-format-19 || clang-format --version 2>/dev/null | grep -q 'version 19\.' ;;
    clang_tidy) have clang-tidy-14 || have clang-tidy ;;
    doxygen) have doxygen ;;
    material) have mkdocs && mkdocs build --help 2>/dev/null | grep -q '[[|]material[]|]' ;; # among the themes that it knows
    valgrind) have valgrind ;;
    rapidcheck) header rapidcheck.h ;;
    relacy) header relacy/relacy.hpp ;;
    clang14) have clang++-14 ;;
    clang19) have clang++-19 ;;
    emscripten) have em++ && have node ;;
    chromium) # the names that tests/support/browser.py knows
      [ -n "${CHROMIUM-}" ] || have chromium || have chromium-browser || have google-chrome || have google-chrome-stable || have chrome ;;
    libcxx19) have clang++-19 && header version clang++-19 -stdlib=libc++ ;;
    gcovr) have gcovr ;;
    clang_fuzzer) runtime clang++ ;;
    # real software beside which tests/integration runs the library
    nginx) (PATH=$PATH:/usr/sbin:/usr/local/sbin; have nginx) ;;
    prometheus) have promtool ;;
    openssl) have openssl ;;
    curl) have curl ;;
    gdb) have gdb ;;
    libcurl) header curl/curl.h ;;
    asio) header asio.hpp ;;
    boost) header boost/asio.hpp ;;
    grpc) header grpcpp/grpcpp.h ;;
    redis) have redis-server ;;
    hiredis) header hiredis/hiredis.h ;;
    postgresql) # Debian keeps its programs out of PATH
      [ -n "$(find /usr/lib/postgresql/*/bin /usr/pgsql-*/bin -name initdb 2>/dev/null)" ] || have initdb ;;
    libpq) have pkg-config && pkg-config --exists libpq ;;
    fibers) header boost/fiber/all.hpp && header boost/context/fiber.hpp && header boost/coroutine/attributes.hpp ;;
  esac
}

tests="compiler cmake ninja git pkgconf python fmt catch2 httplib json rapidcheck relacy"
servers="nginx prometheus openssl curl asio boost grpc redis hiredis postgresql libpq"
case $purpose in
  demo) needs="compiler cmake ninja pkgconf fmt httplib" ;;
  test) needs="$tests asio boost fibers libcurl curl meson gdb" ;;
  integration) needs="$tests $servers fibers libcurl" ;;
  model | relacy) needs="$tests" ;;
  coverage) needs="$tests gxx gcovr" ;;
  fuzz) needs="$tests clang_fuzzer" ;;
  mutants) needs="$tests gxx" ;;
  playground) needs="compiler python fmt json emscripten" ;;
  test-playground) needs="$tests emscripten chromium" ;;
  compilers) needs="gxx cmake python fmt catch2 httplib json clang14 clang19 libcxx19 emscripten" ;;
  compilers-ci) needs="gxx cmake python fmt catch2 httplib json clang19 libcxx19" ;; # what compilers.py --ci takes
  storm) needs="compiler cmake ninja pkgconf python fmt json" ;;
  bench) needs="compiler cmake ninja pkgconf python fmt benchmark json" ;;
  instructions) needs="compiler cmake ninja pkgconf python fmt valgrind" ;;
  single-header) needs="python" ;;
  lint)
    needs="gxx python fmt httplib pkgconf clang_format clang_tidy"
    # Lint skips an adapter whose library a developer lacks; CI may lack none.
    [ -z "${CI-}" ] || needs="$needs json asio boost libcurl grpc hiredis libpq"
    ;;
  docs) needs="compiler cmake ninja python fmt doxygen" ;;
  site) needs="compiler cmake ninja python fmt json doxygen material emscripten chromium" ;;
  *) die "unknown purpose '$purpose'" ;;
esac

missing=""
for need in $needs; do met "$need" || missing="$missing $need"; done
if [ -z "$missing" ]; then
  say "all that '$purpose' needs is there"
  exit 0
fi

# The names of the packages, by package manager; empty where there is none.
package() {
  case $manager:$1 in
    apt:compiler | apt:gxx) echo g++ ;;
    apt:ninja) echo ninja-build ;;
    apt:python) echo python3 ;;
    apt:pkgconf) echo pkg-config ;;
    apt:fmt) echo libfmt-dev ;;
    apt:httplib) echo libcpp-httplib-dev ;;
    apt:json) echo nlohmann-json3-dev ;;
    apt:benchmark) echo libbenchmark-dev ;;
    apt:clang_format) apt-cache show clang-format-19 >/dev/null 2>&1 && echo clang-format-19 || echo clang-format ;;
    apt:clang_tidy) apt-cache show clang-tidy-14 >/dev/null 2>&1 && echo clang-tidy-14 || echo clang-tidy ;;
    apt:rapidcheck) echo librapidcheck-dev ;;
    apt:relacy) echo relacy-dev ;;
    apt:clang_fuzzer) # the runtime of the clang that is the default here
      echo clang "libclang-rt-$(apt-cache depends clang | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)-dev" ;;
    apt:clang14) echo clang-14 libclang-rt-14-dev ;;
    apt:clang19) echo clang-19 libclang-rt-19-dev ;;
    apt:libcxx19) echo libc++-19-dev libc++abi-19-dev ;;
    apt:nginx | apt:prometheus | apt:redis | apt:postgresql) # Debian starts these as services: only where nothing does
      [ -d /run/systemd/system ] ||
        case $1 in nginx) echo nginx-light ;; redis) echo redis-server ;; *) echo "$1" ;; esac ;;
    *:material) echo mkdocs-material ;;
    apt:asio) echo libasio-dev ;;
    apt:boost) echo libboost-dev ;;
    apt:libcurl) echo libcurl4-openssl-dev ;;
    apt:grpc) echo libgrpc++-dev ;;
    apt:hiredis) echo libhiredis-dev ;;
    apt:libpq) echo libpq-dev ;;
    apt:fibers) echo libboost-dev libboost-context-dev libboost-coroutine-dev libboost-fiber-dev ;;
    dnf:compiler | dnf:gxx) echo gcc-c++ ;;
    dnf:ninja) echo ninja-build ;;
    dnf:python) echo python3 ;;
    dnf:pkgconf) echo pkgconf-pkg-config ;;
    dnf:fmt) echo fmt-devel ;;
    dnf:catch2) echo catch-devel ;;
    dnf:httplib) echo cpp-httplib-devel ;;
    dnf:json) echo json-devel ;;
    dnf:benchmark) echo google-benchmark-devel ;;
    dnf:clang_fuzzer) echo clang compiler-rt ;;
    dnf:prometheus) echo golang-github-prometheus ;;
    dnf:asio) echo asio-devel ;;
    dnf:boost | dnf:fibers) echo boost-devel ;;
    dnf:grpc) echo grpc-devel ;;
    dnf:hiredis) echo hiredis-devel ;;
    dnf:postgresql) echo postgresql-server ;;
    dnf:libpq) echo libpq-devel ;;
    dnf:libcurl) echo libcurl-devel ;;
    dnf:clang_format | dnf:clang_tidy) echo clang-tools-extra ;;
    pacman:compiler | pacman:gxx) echo gcc ;;
    pacman:httplib) echo cpp-httplib ;;
    pacman:fibers) echo boost ;;
    pacman:libcurl | brew:libcurl) echo curl ;;
    pacman:json) echo nlohmann-json ;;
    pacman:clang_fuzzer) echo clang compiler-rt ;;
    pacman:clang_format | pacman:clang_tidy) echo clang ;;
    apk:compiler | apk:gxx) echo g++ ;;
    apk:python) echo python3 ;;
    apk:fmt) echo fmt-dev ;;
    apk:catch2) echo catch2-3 ;;
    apk:httplib) echo cpp-httplib ;;
    apk:json) echo nlohmann-json ;;
    apk:benchmark) echo benchmark-dev ;;
    apk:asio) echo asio-dev ;;
    apk:boost | apk:fibers) echo boost-dev ;;
    apk:grpc) echo grpc-dev ;;
    apk:hiredis) echo hiredis-dev ;;
    apk:libpq) echo libpq-dev ;;
    apk:libcurl) echo curl-dev ;;
    apk:clang_fuzzer) echo clang compiler-rt ;;
    apk:clang_format | apk:clang_tidy) echo clang-extra-tools ;;
    brew:compiler) ;;
    brew:gxx) echo gcc ;;
    brew:emscripten) echo emscripten node ;;
    brew:httplib) echo cpp-httplib ;;
    brew:json) echo nlohmann-json ;;
    brew:benchmark) echo google-benchmark ;;
    brew:fibers) echo boost ;;
    brew:clang_format) echo clang-format ;;
    brew:clang_tidy | brew:clang_fuzzer) echo llvm ;;
    *) echo "$1" ;;
  esac
}

manager=""
for candidate in apt-get dnf pacman apk brew; do
  if have "$candidate"; then
    manager=${candidate%-get}
    break
  fi
done

finish() { # what is still missing: tools end it, libraries are left to CMake
  for need in $missing; do
    met "$need" && continue
    case $need in
      nginx | prometheus | redis | postgresql)
        if [ -d /run/systemd/system ]; then
          say "$need is missing, and not installed here, where it would start as a service: tests that need it are left out"
        else
          say "$need is missing: tests that need it are left out"
        fi ;;
      git | openssl | curl | libcurl | asio | boost | grpc | hiredis | libpq | fibers | gdb) say "$need is missing: tests that need it are left out" ;;
      rapidcheck | relacy | meson | clang14 | clang19 | libcxx19 | emscripten | chromium) say "$need is missing: what needs it is left out" ;;
      fmt | catch2 | httplib | json | benchmark) say "$need is missing: CMake will try to fetch it" ;;
      pkgconf) say "pkg-config is missing: CMake may not find every library" ;;
      clang_format) say "clang-format 19 is missing: lint skips the check of the format" ;;
      *) die "$need is missing: install it, then try again" ;;
    esac
  done
  exit 0
}

if [ "${FUSEBOX_SETUP:-yes}" = no ]; then
  say "FUSEBOX_SETUP=no: installing nothing; missing:$missing"
  finish
fi
if [ -z "$manager" ]; then
  say "no package manager known here (apt-get, dnf, pacman, apk, brew); missing:$missing"
  finish
fi

root=""
if [ "$manager" != brew ] && [ "$(id -u)" != 0 ]; then
  have sudo || { say "neither root nor sudo; missing:$missing"; finish; }
  root=sudo
fi

if [ "$manager" = apt ]; then
  say "updating the list of packages (apt-get update)"
  $root apt-get update -qq </dev/null || say "apt-get update failed; going on with the list that is there"
fi
packages=$(for need in $missing; do package "$need"; done | tr ' ' '\n' | sort -u | tr '\n' ' ')
say "installing with $manager: $packages"
install() {
  case $manager in
    apt) $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" ;;
    dnf) $root dnf install -y "$@" ;;
    pacman) $root pacman -S --noconfirm --needed "$@" ;;
    apk) $root apk add "$@" ;;
    brew) brew install "$@" ;;
  esac </dev/null
}
# One that this system does not have must not keep the others away.
# shellcheck disable=SC2086
install $packages || for one in $packages; do install "$one" || say "could not install $one"; done
finish

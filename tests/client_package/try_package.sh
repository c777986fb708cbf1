#!/bin/bash
# try_package.sh BUILD_DIRECTORY CXX CMAKE: installs the client library into a fresh prefix, then builds and runs the
# example with nothing but what was installed.
set -euo pipefail
build=$1 cxx=$2 cmake=$3
here=$(dirname "$(readlink -f "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
warnings="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"

say() { printf '== %s\n' "$1"; }
# Whole outputs, not pipes: a reader that stops at its first hit ends the writer, and under pipefail that is no hit.
uses_shared() { [[ $(ldd "$1") == *libcredlease* ]]; }
fail() { printf 'FAILED: %s\n' "$1" >&2; exit 1; }

say "install"
"$cmake" --install "$build" --prefix "$prefix" --component client >"$work/install.log"
library=$(find "$prefix" -name libcredlease.so.0)
[ -n "$library" ] || fail "no libcredlease.so.0"
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name credlease.pc)")
headers=$(find "$prefix/include" -type f)
[ "$headers" = "$prefix/include/credlease/client.hpp" ] || fail "other headers than the public one: $headers"

say "the shared library shows its face alone"
[[ $(readelf -d "$library") =~ SONAME.*libcredlease\.so\.0 ]] || fail "the soname is not libcredlease.so.0"
if nm -DC --defined-only "$library" | grep -E 'credlease::(client|secret|wire|result|vocabulary)::'; then
    fail "inner symbols are exported"
fi

say "CMake package, with $cxx"
"$cmake" -S "$here/example" -B "$work/by_cmake" -G Ninja -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_PREFIX_PATH="$prefix" \
    -DCMAKE_CXX_FLAGS="$warnings" >"$work/configure.log" || { cat "$work/configure.log"; exit 1; }
"$cmake" --build "$work/by_cmake" >"$work/build.log" || { cat "$work/build.log"; exit 1; }
uses_shared "$work/by_cmake/example_shared" || fail "the shared example does not use the shared library"
uses_shared "$work/by_cmake/example_static" && fail "the static example uses the shared library"
"$work/by_cmake/example_shared"
"$work/by_cmake/example_static"

say "pkg-config, with $cxx"
[ "$(pkg-config --modversion credlease)" ] || fail "no version"
[[ " $(pkg-config --cflags credlease)" == *" -D"* ]] && fail "what the library defines for itself is defined for its users"
"$cxx" -std=c++17 -fsyntax-only -I"$prefix/include" "$here/example/main.cpp" 2>"$work/cxx17.log" && fail "C++17 is taken"
[[ $(grep -m1 error "$work/cxx17.log") == *"needs C++20"* ]] || fail "C++17 is not told what it needs"
# shellcheck disable=SC2046,SC2086 # the flags are words
"$cxx" -std=c++20 $warnings "$here/example/main.cpp" $(pkg-config --cflags --libs credlease) -o "$work/shared"
LD_LIBRARY_PATH=$(dirname "$library") "$work/shared"
static_flags=$(pkg-config --static --cflags --libs credlease | sed 's/-lcredlease/-l:libcredlease.a/')
# shellcheck disable=SC2086
"$cxx" -std=c++20 $warnings "$here/example/main.cpp" $static_flags -o "$work/static"
uses_shared "$work/static" && fail "the static program uses the shared library"
"$work/static"
say "done"

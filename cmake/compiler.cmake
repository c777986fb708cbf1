# g++ below 13 frees memory twice in coroutines (a brace-built aggregate or ?: in one expression with co_await), silently.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  message(FATAL_ERROR "g++ ${CMAKE_CXX_COMPILER_VERSION} miscompiles coroutines (memory is freed twice). "
                      "Use clang 19: apt-get install clang-19, then cmake --preset release.")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(CREDLEASE_SANITIZE "" CACHE STRING "Sanitizers to build with: address,undefined or thread")
set(CREDLEASE_TEST_BUILD OFF CACHE BOOL "Compile in the arena's walk and the stand-ins that only tests use")

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
                    -Wimplicit-fallthrough -Werror)
add_compile_definitions(CREDLEASE_VERSION="${PROJECT_VERSION}" BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE)
if(CREDLEASE_TEST_BUILD)
  add_compile_definitions(CREDLEASE_TEST_BUILD)
endif()
if(CREDLEASE_SANITIZE)
  add_compile_options(-fsanitize=${CREDLEASE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${CREDLEASE_SANITIZE})
  # One kind of code in libraries and programs, and the same bytes each time: what is precompiled serves all, and the cache.
  set(CMAKE_CXX_COMPILE_OPTIONS_PIE -fPIC)
  # The standard library quiets its own deprecations by a pragma, which is forgotten there: the release build looks at them.
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp" -Wno-deprecated-declarations)
  if(CREDLEASE_SANITIZE MATCHES "address")
    add_compile_options(-fsanitize=fuzzer-no-link) # the fuzzers see which code their input reaches
  endif()
else()
  add_compile_options(-fstack-protector-strong -fstack-clash-protection $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
  add_link_options(-Wl,-z,relro,-z,now)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

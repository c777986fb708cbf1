# cmake -D COMPILER=… -D SOURCE=… -D REFUSED_IN=DIR|DIR… -D ACCEPTED_IN=DIR|DIR… -P check.cmake
file(STRINGS ${SOURCE} first LIMIT_COUNT 1)
if(NOT first MATCHES "^// must say: (.+)$")
  message(FATAL_ERROR "${SOURCE} must begin with \"// must say: WORDS\"")
endif()
set(expected "${CMAKE_MATCH_1}")

# compile(DIR|DIR… flag…): sets `status` and `output`.
function(compile roots)
  string(REPLACE "|" ";" roots "${roots}")
  list(FILTER roots INCLUDE REGEX "/rooms/[a-z]+$") # the system's own are known to the compiler
  list(TRANSFORM roots PREPEND "-I")
  execute_process(COMMAND ${COMPILER} -std=c++23 -Wall -Wextra -Werror -fsyntax-only ${roots} ${ARGN} ${SOURCE}
                  RESULT_VARIABLE status ERROR_VARIABLE output)
  set(status ${status} PARENT_SCOPE)
  set(output "${output}" PARENT_SCOPE)
endfunction()

compile("${ACCEPTED_IN}")
if(NOT status EQUAL 0)
  message(FATAL_ERROR "the control does not compile:\n${output}")
endif()

compile("${REFUSED_IN}" -DMUST_NOT_COMPILE)
if(status EQUAL 0)
  message(FATAL_ERROR "it compiles")
endif()
string(FIND "${output}" "${expected}" at)
if(at EQUAL -1)
  message(FATAL_ERROR "refused, but not with \"${expected}\":\n${output}")
endif()

# add_room_test(room USES … LIBRARIES …): tests/ROOM/*.cpp, one Boost.Test program a room; each case is a promise by name.
enable_testing()

function(add_room_test room)
  cmake_parse_arguments(PARSE_ARGV 1 TEST "" "" "USES;LIBRARIES")
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${room}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${room}_test ${sources})
  target_link_libraries(${room}_test PRIVATE ${room} test_support ${TEST_USES} ${TEST_LIBRARIES} Boost::unit_test_framework)
  # The arena's walk is for tests alone: the shipped rooms are built without it.
  target_compile_definitions(${room}_test PRIVATE CREDLEASE_TEST_BUILD)
  add_test(NAME ${room} COMMAND ${room}_test --log_level=test_suite --color_output=no)
  set_tests_properties(${room} PROPERTIES TIMEOUT 300)
endfunction()

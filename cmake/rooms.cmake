# add_room(PATH USES room… LIBRARIES target…): one folder = one namespace = one library = one include prefix.
#
# The include root of a room holds nothing but the room itself (a link), and what it uses is linked privately: an include that
# is not listed under USES does not compile, a room that does not exist yet (or a circle) does not configure.
function(add_room path)
  cmake_parse_arguments(PARSE_ARGV 1 ROOM "" "" "USES;LIBRARIES")
  cmake_path(GET path FILENAME room)
  foreach(used IN LISTS ROOM_USES)
    if(NOT TARGET ${used})
      message(FATAL_ERROR "room '${room}' uses '${used}', which is not above it in CMakeLists.txt: rooms use lower floors only")
    endif()
  endforeach()

  set(root ${CMAKE_BINARY_DIR}/rooms/${room})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${path} ${root}/${room} SYMBOLIC)

  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${path}/*.cpp)
  if(sources)
    add_library(${room} STATIC ${sources})
    target_include_directories(${room} PUBLIC ${root})
    target_link_libraries(${room} PRIVATE ${ROOM_USES} ${ROOM_LIBRARIES})
  else()
    add_library(${room} INTERFACE)
    target_include_directories(${room} INTERFACE ${root})
  endif()
  set_property(GLOBAL APPEND PROPERTY CREDLEASE_ROOMS ${room})
endfunction()

# embed_files(room PATH…): compiles files into a room as text, by name: ROOM/embedded.hpp declares `embedded_files()`.
#
# The source is made at configure time; a file that changes, comes or goes makes the build configure again.
function(embed_files room)
  set(text "// Made by cmake/embed.cmake.\n#include \"${room}/embedded.hpp\"\n\nnamespace credlease::${room} {\n"
           "std::span<const EmbeddedFile> embedded_files() {\n    static constexpr EmbeddedFile files[] = {\n")
  list(JOIN text "" text)
  foreach(path IN LISTS ARGN)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
    cmake_path(GET path FILENAME name)
    file(READ ${path} content)
    string(FIND "${content}" ")embedded\"" clash)
    if(NOT clash EQUAL -1)
      message(FATAL_ERROR "${path} holds the end mark of a raw string and cannot be embedded")
    endif()
    string(APPEND text "        {\"${name}\", R\"embedded(${content})embedded\"},\n")
  endforeach()
  string(APPEND text "    };\n    return files;\n}\n} // namespace credlease::${room}\n")

  set(source ${CMAKE_BINARY_DIR}/embedded/${room}.cpp)
  set(before "")
  if(EXISTS ${source})
    file(READ ${source} before)
  endif()
  if(NOT before STREQUAL text)
    file(WRITE ${source} "${text}")
  endif()
  target_sources(${room} PRIVATE ${source})
endfunction()

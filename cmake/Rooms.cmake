# A room is one folder of src/ and one static library, linnet::<name>. It can include only what it
# lists under DEPENDS: a wrong include does not compile, since each room's headers are reached
# through its own target. Its tests are found by their folder, see tests/CMakeLists.txt.
#
#   linnet_room(mqtt DEPENDS base)
#   linnet_binary(linnet cli DEPENDS broker config)     the program of the folder src/cli
#
# With LINNET_SMALL, the rooms that a message does not pass through are compiled for size.

set(LINNET_FAST_ROOMS base mqtt net router session shard transport)

function(linnet_small target room)
  if(LINNET_SMALL AND NOT room IN_LIST LINNET_FAST_ROOMS)
    target_compile_options(${target} PRIVATE -Os)
  endif()
endfunction()

function(linnet_room name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  add_library(linnet_${name} STATIC ${sources})
  add_library(linnet::${name} ALIAS linnet_${name})
  # A room's headers are included as "<room>/<file>.hpp": the folder of links holds just the rooms
  # that the target may see.
  set(view ${CMAKE_BINARY_DIR}/rooms/${name})
  file(MAKE_DIRECTORY ${view})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/src/${name} ${view}/${name} SYMBOLIC)
  target_include_directories(linnet_${name} PUBLIC ${view})
  target_include_directories(linnet_${name} SYSTEM PUBLIC ${Boost_INCLUDE_DIRS})
  target_link_libraries(linnet_${name} PUBLIC linnet_options)
  foreach(room IN LISTS ARG_DEPENDS)
    target_link_libraries(linnet_${name} PUBLIC linnet::${room})
  endforeach()
  target_link_libraries(linnet_${name} PRIVATE ${ARG_PRIVATE_DEPENDS})
  linnet_small(linnet_${name} ${name})
endfunction()

function(linnet_binary name folder)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp)
  add_executable(${name} ${sources})
  set(view ${CMAKE_BINARY_DIR}/rooms/${folder})
  file(MAKE_DIRECTORY ${view})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/src/${folder} ${view}/${folder} SYMBOLIC)
  target_include_directories(${name} PRIVATE ${view})
  # Only here, so that a new version does not compile everything again.
  set_source_files_properties(${CMAKE_CURRENT_SOURCE_DIR}/${folder}/version.cpp PROPERTIES
    COMPILE_DEFINITIONS
    "LINNET_VERSION=\"${PROJECT_VERSION}\";LINNET_BUILD_TYPE=\"${CMAKE_BUILD_TYPE}\"")
  target_link_libraries(${name} PRIVATE linnet_options)
  linnet_small(${name} ${folder})
  foreach(room IN LISTS ARG_DEPENDS)
    target_link_libraries(${name} PRIVATE linnet::${room})
  endforeach()
endfunction()

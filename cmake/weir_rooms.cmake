# Functions that turn a folder into a library, a program or a test program.
#
#   weir_room(common/base LIBS fmt::fmt)      all *.cc of the folder but main.cc -> static library weir_common_base
#   weir_program(weir-dataplane dataplane/main.cc ROOMS ...)
#   weir_unit_test(common/base)               tests/unit/common/base/*_test.cc -> program unit_common_base and a ctest of that name

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g1 -fno-omit-frame-pointer")
set(CMAKE_C_FLAGS_SANITIZE "${CMAKE_CXX_FLAGS_SANITIZE}")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")

add_library(weir_flags INTERFACE)
target_include_directories(weir_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(weir_flags INTERFACE -Wall -Wextra -Wshadow -Wconversion -Werror)
# Everywhere or nowhere: RE2's package asks for it, and a precompiled header built without it is refused then.
target_compile_options(weir_flags INTERFACE -pthread)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports false overlaps and bounds in libstdc++'s own string code with -O2 in C++20 mode; clang checks the same code.
  target_compile_options(weir_flags INTERFACE -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
endif()
# ccache and precompiled headers need these two (see also CCACHE_SLOPPINESS in ./dev).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(weir_flags INTERFACE -fpch-preprocess)
endif()
# A target with the property WEIR_UNOPTIMIZED compiles in half the time: what only tests is not what is measured. The later -O counts, and glibc
# wants no _FORTIFY_SOURCE without optimisation.
set(WEIR_UNOPTIMIZED_HERE $<BOOL:$<TARGET_PROPERTY:WEIR_UNOPTIMIZED>>)
target_compile_options(weir_flags INTERFACE $<${WEIR_UNOPTIMIZED_HERE}:-O0>)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(weir_flags INTERFACE -fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection -U_FORTIFY_SOURCE
                         $<$<NOT:${WEIR_UNOPTIMIZED_HERE}>:-D_FORTIFY_SOURCE=2> -D_GLIBCXX_ASSERTIONS -ftrivial-auto-var-init=zero)
  target_link_options(weir_flags INTERFACE -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
endif()
if(WEIR_SANITIZE)
  target_compile_options(weir_flags INTERFACE -fsanitize=${WEIR_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(weir_flags INTERFACE -fsanitize=${WEIR_SANITIZE})
  if(WEIR_SANITIZE MATCHES "undefined")
    # This check opens a pipe to look at an object: in a process that has run out of descriptors, which tests cause on
    # purpose, it takes every object for a broken one. A stale object is the address sanitizer's anyway.
    target_compile_options(weir_flags INTERFACE -fno-sanitize=vptr)
  endif()
endif()
if(WEIR_FUZZ)
  # The rooms need the coverage counters too: without them a fuzzer sees only its own file.
  target_compile_options(weir_flags INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(weir_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
find_program(WEIR_MOLD mold)
if(WEIR_MOLD)
  target_link_options(weir_flags INTERFACE -fuse-ld=mold)
endif()

# Profile-guided optimisation of what a request runs through. Names in the profile are relative to the build folder, so that two presets
# can share it. Counting is cheap, not exact: one worker trains.
set(WEIR_PROFILED_ROOMS "^(dataplane|common/base$|common/loop$|common/routing$)")
if(WEIR_PROFILE MATCHES "^make:(.+)")
  set(WEIR_PROFILE_OPTIONS -fprofile-generate=${CMAKE_MATCH_1} -fprofile-prefix-path=${CMAKE_BINARY_DIR} -fprofile-update=prefer-atomic)
  target_link_options(weir_flags INTERFACE -fprofile-generate=${CMAKE_MATCH_1})
elseif(WEIR_PROFILE MATCHES "^use:(.+)")
  set(WEIR_PROFILE_OPTIONS -fprofile-use=${CMAKE_MATCH_1} -fprofile-prefix-path=${CMAKE_BINARY_DIR} -fprofile-correction
      -fprofile-partial-training -Wno-missing-profile -Wno-coverage-mismatch)
endif()

# The compiler cache does not see that a profile has changed.
function(_weir_profile target folder)
  if(WEIR_PROFILE_OPTIONS AND folder MATCHES "${WEIR_PROFILED_ROOMS}")
    target_compile_options(${target} PRIVATE ${WEIR_PROFILE_OPTIONS})
    set_property(TARGET ${target} PROPERTY CXX_COMPILER_LAUNCHER "")
  endif()
endfunction()

set(WEIR_PCH_HEADERS <algorithm> <array> <atomic> <chrono> <cstdint> <cstring> <functional> <map> <memory> <optional> <span>
    <string> <string_view> <tuple> <unordered_map> <utility> <variant> <vector>)

function(_weir_pch target)
  if(WEIR_PCH)
    if(NOT TARGET weir_pch)
      file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/weir_pch.cc CONTENT "// Holds the precompiled header.\n")
      add_library(weir_pch STATIC ${CMAKE_BINARY_DIR}/weir_pch.cc)
      target_link_libraries(weir_pch PUBLIC weir_flags)
      target_precompile_headers(weir_pch PRIVATE ${WEIR_PCH_HEADERS})
    endif()
    target_precompile_headers(${target} REUSE_FROM weir_pch)
  endif()
endfunction()

# weir_batches(VARIABLE NAME FILE...): with WEIR_BATCH=N, files that include up to N of these each, and so parse what they share once.
# Not CMake's own unity build: that writes absolute paths into its files, and to a compiler cache every clone would be something else.
function(weir_batches variable name)
  list(LENGTH ARGN count)
  if(NOT WEIR_BATCH OR count LESS 2)
    set(${variable} ${ARGN} PARENT_SCOPE)
    return()
  endif()
  set(batches)
  set(text "")
  set(number 0)
  foreach(file ${ARGN})
    get_filename_component(file ${file} ABSOLUTE)
    file(RELATIVE_PATH file ${CMAKE_SOURCE_DIR} ${file})
    string(APPEND text "#include \"${file}\"\n")
    math(EXPR number "${number} + 1")
    math(EXPR full "${number} % ${WEIR_BATCH}")
    if(full EQUAL 0 OR number EQUAL count)
      set(batch ${CMAKE_BINARY_DIR}/batches/${name}_${number}.cc)
      file(CONFIGURE OUTPUT ${batch} CONTENT "${text}" @ONLY)
      list(APPEND batches ${batch})
      set(text "")
    endif()
  endforeach()
  set(${variable} ${batches} PARENT_SCOPE)
endfunction()

function(weir_room folder)
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  string(REPLACE "/" "_" name weir_${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  if(sources)
    weir_batches(sources ${name} ${sources})
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC weir_flags ${ARG_LIBS})
    _weir_pch(${name})
    _weir_profile(${name} ${folder})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE weir_flags ${ARG_LIBS})
  endif()
endfunction()

# Puts the files of a folder into the library of a room that declares them (an Asset for each, asset.h). Made anew when one of them changes.
function(weir_embed target folder)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*)
  set(made ${CMAKE_BINARY_DIR}/${target}_assets.cc)
  add_custom_command(OUTPUT ${made} DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
                     COMMAND ${CMAKE_COMMAND} -D OUT=${made} -D "FILES=${files}" -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake VERBATIM)
  target_sources(${target} PRIVATE ${made})
endfunction()

function(weir_program name source)
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  add_executable(${name} ${CMAKE_SOURCE_DIR}/${source})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS})
endfunction()

# Labels let ./dev choose what a sanitizer build runs: "unit", "scenario", "dataplane". TIMEOUT ends what hangs, in seconds; a machine may be five
# times slower than another. COST: about how many seconds it takes, for those that take many: they start first, so that none runs on alone at the end.
function(weir_gtest name)
  cmake_parse_arguments(ARG "MEASURES" "TIMEOUT;COST" "SOURCES;LIBS;LABELS;ARGS" ${ARGN})
  if(NOT ARG_SOURCES)
    return()
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  weir_batches(sources ${name} ${ARG_SOURCES})
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} GTest::gmock GTest::gtest_main)
  # One that measures the code it is linked with takes none of that code's inline functions from files without optimisation.
  if(NOT ARG_MEASURES)
    set_target_properties(${name} PROPERTIES WEIR_UNOPTIMIZED ON)
  endif()
  if(WEIR_PCH AND NOT ARG_MEASURES)
    if(NOT TARGET weir_pch_test)
      file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/weir_pch_test.cc CONTENT "// Holds the precompiled header of the tests.\n")
      add_library(weir_pch_test STATIC ${CMAKE_BINARY_DIR}/weir_pch_test.cc)
      target_link_libraries(weir_pch_test PUBLIC weir_flags GTest::gmock)
      set_target_properties(weir_pch_test PROPERTIES WEIR_UNOPTIMIZED ON)
      target_precompile_headers(weir_pch_test PRIVATE ${WEIR_PCH_HEADERS} <gmock/gmock.h> <gtest/gtest.h>)
    endif()
    target_precompile_headers(${name} REUSE_FROM weir_pch_test)
  endif()
  if(ARG_COST)
    list(PREPEND ARG_COST COST)
  endif()
  add_test(NAME ${name} COMMAND ${name} ${ARG_ARGS})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}" ${ARG_COST})
endfunction()

function(weir_unit_test folder)
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/${folder}/*_test.cc)
  string(REGEX REPLACE "/.*" "" side ${folder})
  weir_gtest(unit_${name} SOURCES ${sources} LIBS weir_${name} ${ARG_LIBS} LABELS unit ${side})
endfunction()

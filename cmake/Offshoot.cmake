# SPDX-License-Identifier: Apache-2.0
# What every target of the project shares: warnings, hardening, sanitizers, and the two ways to make a target.

add_library(offshoot_options INTERFACE)
target_compile_options(offshoot_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
  -Wnull-dereference -Wextra-semi -fstack-protector-strong -fstack-clash-protection
  "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
if(OFFSHOOT_WERROR)
  target_compile_options(offshoot_options INTERFACE -Werror)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64")
  target_compile_options(offshoot_options INTERFACE -fcf-protection)
endif()
if(OFFSHOOT_SANITIZE)
  target_compile_options(offshoot_options INTERFACE -fsanitize=${OFFSHOOT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  target_link_options(offshoot_options INTERFACE -fsanitize=${OFFSHOOT_SANITIZE})
else()
  target_compile_options(offshoot_options INTERFACE $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2>)
endif()
# Clang finds that libstdc++'s own std::stable_sort calls something deprecated.
target_compile_options(offshoot_options INTERFACE $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)
# GCC 12 warns falsely when it optimises std::string.
target_compile_options(offshoot_options INTERFACE
  "$<$<AND:$<CXX_COMPILER_ID:GNU>,$<NOT:$<CONFIG:Debug>>>:-Wno-restrict;-Wno-maybe-uninitialized;-Wno-null-dereference>")
target_link_options(offshoot_options INTERFACE -Wl,-z,relro,-z,now)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported()

# offshoot_library(change LINKS offshoot_io PkgConfig::libgit2): the library of one folder under src/, named
# offshoot_<folder>. LINKS is all that its code may include: a stage never links another stage.
function(offshoot_library folder)
  cmake_parse_arguments(ARG "" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  add_library(offshoot_${folder} STATIC ${sources})
  target_include_directories(offshoot_${folder} PUBLIC "${CMAKE_SOURCE_DIR}/src")
  target_link_libraries(offshoot_${folder} PUBLIC offshoot_options offshoot_model ${ARG_LINKS})
endfunction()

# offshoot_embed(target symbol file...): the bytes of files as `constexpr std::string_view offshoot::embedded::<symbol>`,
# one symbol a file, in the header "embedded/<symbol>.hpp".
function(offshoot_embed target symbol file)
  set(header "${CMAKE_BINARY_DIR}/embedded/embedded/${symbol}.hpp")
  add_custom_command(
    OUTPUT "${header}"
    COMMAND ${CMAKE_COMMAND} -DSYMBOL=${symbol} -DIN=${file} -DOUT=${header} -P "${CMAKE_SOURCE_DIR}/cmake/Embed.cmake"
    DEPENDS "${file}" "${CMAKE_SOURCE_DIR}/cmake/Embed.cmake"
    VERBATIM)
  target_sources(${target} PRIVATE "${header}")
  target_include_directories(${target} PUBLIC "${CMAKE_BINARY_DIR}/embedded")
  # All of them alone: what clang-tidy needs of a build.
  add_custom_target(embed_${symbol} DEPENDS "${header}")
  if(NOT TARGET embedded)
    add_custom_target(embedded)
  endif()
  add_dependencies(embedded embed_${symbol})
endfunction()

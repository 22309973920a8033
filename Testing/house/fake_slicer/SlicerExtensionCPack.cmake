# Slicer: CMake/SlicerExtensionCPack.cmake hands the description on unquoted, so that a semicolon cuts it off.
foreach(_file EXTENSION_README_FILE EXTENSION_LICENSE_FILE)
  if(NOT EXISTS "${${_file}}")
    message(FATAL_ERROR "${_file} points to an inexistent file: ${${_file}}")
  endif()
endforeach()
cmake_parse_arguments(MY "" "EXTENSION_DESCRIPTION" "" EXTENSION_DESCRIPTION ${EXTENSION_DESCRIPTION})
fake_record("description=${MY_EXTENSION_DESCRIPTION}")

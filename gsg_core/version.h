// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_VERSION_H_
#define GSG_GSG_CORE_VERSION_H_

// The version of the library, by semantic versioning. //tests/workspace checks
// that these numbers, bazel/version.bzl and MODULE.bazel agree; CMake reads
// them here.
#define GSG_VERSION_MAJOR 0
#define GSG_VERSION_MINOR 1
#define GSG_VERSION_PATCH 0

// "0.1.0".
#define GSG_VERSION_STRING                                        \
  GSG_VERSION_TEXT_(GSG_VERSION_MAJOR)                            \
  "." GSG_VERSION_TEXT_(GSG_VERSION_MINOR) "." GSG_VERSION_TEXT_( \
      GSG_VERSION_PATCH)

// For #if: GSG_VERSION >= GSG_MAKE_VERSION(0, 1, 0).
#define GSG_MAKE_VERSION(major, minor, patch) \
  ((major)*1000000 + (minor)*1000 + (patch))
#define GSG_VERSION \
  GSG_MAKE_VERSION(GSG_VERSION_MAJOR, GSG_VERSION_MINOR, GSG_VERSION_PATCH)

#define GSG_VERSION_TEXT_(number) GSG_VERSION_TEXT_OF_(number)
#define GSG_VERSION_TEXT_OF_(number) #number

#endif  // GSG_GSG_CORE_VERSION_H_

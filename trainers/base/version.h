#ifndef GSG_TRAINERS_BASE_VERSION_H_
#define GSG_TRAINERS_BASE_VERSION_H_

#include "absl/strings/string_view.h"

namespace gsg {

// "0.1.0": the project's version (bazel/version.bzl).
absl::string_view Version();

}  // namespace gsg

#endif  // GSG_TRAINERS_BASE_VERSION_H_

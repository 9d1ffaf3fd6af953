// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_CONFIG_H_
#define GSG_GSG_CORE_CONFIG_H_

#include "gsg_core/version.h"

// Around what is in namespace gsg: an inline namespace of the minor version,
// v0_1. It is written nowhere else: gsg::GuidedLoss is gsg::v0_1::GuidedLoss to
// the linker alone, so that two versions may be in one process (two plugins,
// say) without taking each other's functions.
#define GSG_NAMESPACE_BEGIN \
  inline namespace GSG_NAMESPACE_(GSG_VERSION_MAJOR, GSG_VERSION_MINOR) {
#define GSG_NAMESPACE_END }
#define GSG_NAMESPACE_(major, minor) GSG_NAMESPACE_OF_(major, minor)
#define GSG_NAMESPACE_OF_(major, minor) v##major##_##minor

// Before what a shared library exports. The library is compiled with
// -fvisibility=hidden: all else stays its own, also within a plugin that is
// linked to the static library.
#define GSG_EXPORT __attribute__((visibility("default")))

#endif  // GSG_GSG_CORE_CONFIG_H_

// What a configuration says of a ConvNeXt.

#ifndef GSG_TRAINERS_CONFIG_CONVNEXT_H_
#define GSG_TRAINERS_CONFIG_CONVNEXT_H_

#include <cstdint>

#include "absl/strings/match.h"
#include "trainers/config/config.h"

namespace gsg {

// Is the backbone one?
inline bool IsConvNext(const Config& config) {
  return absl::StartsWith(config.backbone, "convnext_");
}

// The least side of a view in pixels, of which its last stage sees one: it
// shrinks them to 1/32, and to less with the other stems.
inline int64_t LeastSide(const Config& config) {
  return config.stem == "imagenet" ? 32 : config.stem == "small" ? 8 : 15;
}

}  // namespace gsg

#endif  // GSG_TRAINERS_CONFIG_CONVNEXT_H_

// What a configuration says of a Vision Transformer.

#ifndef GSG_TRAINERS_CONFIG_TRANSFORMER_H_
#define GSG_TRAINERS_CONFIG_TRANSFORMER_H_

#include <cstdint>

#include "absl/strings/match.h"
#include "trainers/config/config.h"

namespace gsg {

// Is the backbone one?
inline bool IsTransformer(const Config& config) {
  return absl::StartsWith(config.backbone, "vit_");
}

// The side of its patches: --patch_size, or what that does by default, which
// cuts the usual views (28, 32, 64, 96, 128, 224) into 7 x 7 to 14 x 14.
inline int64_t PatchSize(const Config& config) {
  if (config.patch_size > 0) return config.patch_size;
  return config.augment.size >= 112 ? 16 : config.augment.size >= 56 ? 8 : 4;
}

}  // namespace gsg

#endif  // GSG_TRAINERS_CONFIG_TRANSFORMER_H_

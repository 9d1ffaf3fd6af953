// Position embeddings of a Vision Transformer for another number of patches.

#ifndef GSG_MODELS_POSITIONS_H_
#define GSG_MODELS_POSITIONS_H_

#include <cstdint>

#include "ATen/core/Tensor.h"

namespace gsg {

// positions: [1, 1 + side * side, C], the class token's first, then those of a
// square grid by rows. Returns [1, 1 + height * width, C]: the class token's as
// it is, the others interpolated, bicubic with the corners kept, as
// torchvision's interpolate_embeddings does.
at::Tensor ResizePositions(const at::Tensor& positions, int64_t height,
                           int64_t width);

}  // namespace gsg

#endif  // GSG_MODELS_POSITIONS_H_

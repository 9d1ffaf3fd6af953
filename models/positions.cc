#include "models/positions.h"

#include <cmath>
#include <cstdint>

#include "ATen/core/Tensor.h"
#include "ATen/ops/cat.h"
#include "ATen/ops/upsample_bicubic2d.h"

namespace gsg {

at::Tensor ResizePositions(const at::Tensor& positions, int64_t height,
                           int64_t width) {
  const int64_t patches = positions.size(1) - 1;
  const auto side = static_cast<int64_t>(
      std::lround(std::sqrt(static_cast<double>(patches))));
  const at::Tensor grid = positions.narrow(1, 1, patches)
                              .transpose(1, 2)
                              .reshape({1, positions.size(2), side, side});
  return at::cat(
      {positions.narrow(1, 0, 1), at::upsample_bicubic2d(grid, {height, width},
                                                         /*align_corners=*/true)
                                      .flatten(2)
                                      .transpose(1, 2)},
      1);
}

}  // namespace gsg

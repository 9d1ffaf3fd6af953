#include "trainers/train/image_sizes.h"

#include <cstdint>

#include "absl/status/status.h"
#include "gsg_core/status_macros.h"
#include "models/backbone.h"
#include "trainers/config/config.h"
#include "trainers/evaluate/evaluation_images.h"
#include "trainers/image/image.h"
#include "trainers/image/image_source.h"

namespace gsg {

absl::Status CheckImageSizes(const Config& config, const ImageSource& train,
                             const Backbone& backbone) {
  const int64_t crop = config.augment.size;
  GSG_RETURN_IF_ERROR(backbone.CheckImageSize(crop, crop));
  const int64_t side = EvaluationSide(train, crop);
  const ImageSize size = train.fixed_size();
  return backbone.CheckImageSize(side > 0 ? side : size.height,
                                 side > 0 ? side : size.width);
}

}  // namespace gsg

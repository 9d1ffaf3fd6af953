#ifndef GSG_TRAINERS_TRAIN_IMAGE_SIZES_H_
#define GSG_TRAINERS_TRAIN_IMAGE_SIZES_H_

#include "absl/status/status.h"
#include "models/backbone.h"
#include "trainers/config/config.h"
#include "trainers/image/image_source.h"

namespace gsg {

// Does the network take the views of `config`, and the images of `train` that
// its features are measured on? Errors: the backbone's.
absl::Status CheckImageSizes(const Config& config, const ImageSource& train,
                             const Backbone& backbone);

}  // namespace gsg

#endif  // GSG_TRAINERS_TRAIN_IMAGE_SIZES_H_

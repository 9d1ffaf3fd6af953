// The Python that makes the network of a file that export writes.

#ifndef GSG_TRAINERS_PROGRAMS_LOADING_CODE_H_
#define GSG_TRAINERS_PROGRAMS_LOADING_CODE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "models/backbone_options.h"
#include "trainers/config/config.h"

namespace gsg {

struct LoadingCode {
  std::string lines;       // of Python, which end with `model` made
  std::string classifier;  // the name of its last layer, without ".weight"
};

// torchvision's network of this backbone, which is that of `config`, with a
// classifier of `num_classes` rows; 0 = none.
absl::StatusOr<LoadingCode> TorchvisionCode(const Config& config,
                                            const BackboneOptions& backbone,
                                            int64_t num_classes);

// timm's. Errors: kInvalidArgument for resnet_small, which timm does not have.
absl::StatusOr<LoadingCode> TimmCode(const Config& config,
                                     const BackboneOptions& backbone,
                                     int64_t num_classes);

}  // namespace gsg

#endif  // GSG_TRAINERS_PROGRAMS_LOADING_CODE_H_

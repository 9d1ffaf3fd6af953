// SimSiam (Chen and He, arXiv 2011.10566), with guided stop-gradient (Lee and
// Lee, arXiv 2503.09058) or, with Selection::kNone, without.

#ifndef GSG_TRAINERS_METHODS_SIMSIAM_H_
#define GSG_TRAINERS_METHODS_SIMSIAM_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "trainers/config/config.h"
#include "trainers/methods/method.h"

namespace gsg {

// Initialised from LibTorch's default generator (seed it first), on `device`.
// Errors: kInvalidArgument if the model options of `config` do not fit.
absl::StatusOr<std::unique_ptr<Method>> MakeSimSiam(const Config& config,
                                                    int64_t channels,
                                                    c10::Device device);

}  // namespace gsg

#endif  // GSG_TRAINERS_METHODS_SIMSIAM_H_

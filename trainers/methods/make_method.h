// From a configuration to a network and to the method that trains it.

#ifndef GSG_TRAINERS_METHODS_MAKE_METHOD_H_
#define GSG_TRAINERS_METHODS_MAKE_METHOD_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "models/backbone.h"
#include "models/siamese.h"
#include "trainers/config/config.h"
#include "trainers/methods/method.h"

namespace gsg {

// The network that `config` describes, for images of `channels` channels.
// Errors: kInvalidArgument if a name in `config` is unknown.
absl::StatusOr<SiameseOptions> NetworkOptions(const Config& config,
                                              int64_t channels);

// The method called config.method (trainers/config/methods.h).
// `prepare_backbone`: see SiameseMethodOptions.
// Errors: kInvalidArgument for a name that is none or a value out of range;
// those of `prepare_backbone`.
absl::StatusOr<std::unique_ptr<Method>> MakeMethod(
    const Config& config, int64_t channels, c10::Device device,
    std::function<absl::Status(Backbone&)> prepare_backbone = nullptr);

}  // namespace gsg

#endif  // GSG_TRAINERS_METHODS_MAKE_METHOD_H_

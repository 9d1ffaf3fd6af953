// The network of a run, to be applied to images.

#ifndef GSG_TRAINERS_RUN_SAVED_NETWORK_H_
#define GSG_TRAINERS_RUN_SAVED_NETWORK_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "models/backbone.h"
#include "trainers/config/config.h"
#include "trainers/image/channel_stats.h"
#include "trainers/run/run_state.h"

namespace gsg {

struct SavedNetwork {
  Config config;   // the run's
  RunState state;  // progress, and the images' mean and standard deviation
  std::shared_ptr<Backbone> backbone;  // on the device, in evaluation mode

  int64_t channels() const { return state.channel_mean.size(); }
  // What its images are normalized with.
  ChannelStats stats() const { return {state.channel_mean, state.channel_std}; }
};

// Reads a checkpoint of any method.
// Errors: kNotFound if there is none; kDataLoss, naming it, if it is damaged;
// both name the good checkpoints in its folder and how to use them;
// kInvalidArgument if it is another program's or version's.
absl::StatusOr<SavedNetwork> LoadNetwork(const std::string& checkpoint_path,
                                         c10::Device device);

// Reads a backbone's weights that others have made (trainers/weights), which
// say themselves what --backbone they are of. Images of ImageNet's mean and
// standard deviation are what it takes, of 224 pixels or of the side that its
// position embeddings are for.
// Errors: those of ReadWeightFile and LoadBackboneWeights; kInvalidArgument if
// the file is of no backbone of ours, or is a checkpoint of a run, which has
// another mean, standard deviation and size: LoadNetwork reads it.
absl::StatusOr<SavedNetwork> LoadReleasedNetwork(const std::string& path,
                                                 c10::Device device);

}  // namespace gsg

#endif  // GSG_TRAINERS_RUN_SAVED_NETWORK_H_

// A run's state besides its tensors: progress and measurements.

#ifndef GSG_TRAINERS_RUN_RUN_STATE_H_
#define GSG_TRAINERS_RUN_RUN_STATE_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "trainers/config/config.h"
#include "trainers/run/epoch_record.h"
#include "trainers/run/image_record.h"

namespace gsg {

// Sums over the batches of the current epoch, kept in checkpoints so that an
// epoch that was interrupted reports what an uninterrupted one would.
struct EpochTotals {
  int64_t batches = 0;
  double loss = 0;
  double feature_std = 0;
  std::array<int64_t, 5> pair_count = {};
  double seconds = 0;  // of training, without evaluation and checkpoints
};

// An image that the run could not read.
struct DamageRecord {
  int64_t source = 0;  // 0: of the training images, 1: of the test images
  int64_t index = 0;
  std::string name;  // escaped, so that any bytes survive JSON
  std::string reason;
};

struct RunState {
  // What pixels in 0..1 are normalized with, [channels] each.
  std::vector<double> channel_mean, channel_std;
  int64_t epoch = 0;  // finished epochs
  int64_t batch = 0;  // finished batches of the next one
  int64_t step = 0;   // batches in all
  int64_t ranks = 1;  // processes that trained the last of them
  EpochTotals totals;
  std::vector<EpochRecord> history;
  ImageRecord images;  // that it was last trained on
  Scores raw_pixels;
  Scores untrained;
  std::vector<DamageRecord> damaged;  // each once
};

// The line of metrics.jsonl: a JSON object whose numbers read back exactly;
// what is unknown is null.
std::string MetricsLine(const EpochRecord& record);

// result.json: epochs, steps, the scores of `trained` beside those of raw
// pixels and of the untrained network, and how many images were left out as
// damaged.
std::string ResultToJson(const RunState& state, const Scores& trained,
                         int64_t damaged_images);

// A checkpoint's meta text, and back.
// Errors: kInvalidArgument saying what is missing or of the wrong type.
std::string StateToJson(const RunState& state, const Config& config);
struct SavedRun {
  RunState state;
  Config config;
};
absl::StatusOr<SavedRun> StateFromJson(const std::string& text);

}  // namespace gsg

#endif  // GSG_TRAINERS_RUN_RUN_STATE_H_

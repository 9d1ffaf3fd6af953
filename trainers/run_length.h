// How long a run is, before it starts: values fitted to the images, and epochs
// to a time.

#ifndef GSG_TRAINERS_RUN_LENGTH_H_
#define GSG_TRAINERS_RUN_LENGTH_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trainers/config/config.h"
#include "trainers/image/dataset.h"
#include "trainers/train/trainer.h"

namespace gsg {

// --fit: looks at a sample of the images and puts in `config` what suits them
// and the machine (trainers/config/fit.h), but for the fields in `given` and
// those that are not as in the recipe. Returns what it decided and why, a line
// each, to be shown. cpus: for each process of the run. *dataset gets what was
// read for that, if it has the channels that were decided.
// Errors: those of LoadDataset and SurveyImages; kInvalidArgument if what was
// given does not go with what was decided.
absl::StatusOr<std::string> FitRun(std::set<std::string> given, bool gpu,
                                   int cpus, Config* config,
                                   std::optional<Dataset>* dataset);

// What a run of so many epochs takes.
struct RunCost {
  absl::Duration before;  // so far
  EpochCost epoch;
  int64_t batches_per_epoch = 0;
  absl::Duration after;  // scores and report

  absl::Duration an_epoch() const {
    return batches_per_epoch * epoch.step + epoch.evaluation;
  }
};

// The most epochs with which a run of `cost` is over after `limit`; at least 1.
int64_t EpochsWithin(absl::Duration limit, const RunCost& cost);

// "200 epochs of 4.1 s: about 14 min 10 s from now to the report".
std::string LengthText(int64_t epochs, const RunCost& cost);

}  // namespace gsg

#endif  // GSG_TRAINERS_RUN_LENGTH_H_

#ifndef GSG_TRAINERS_RUN_READ_RUN_H_
#define GSG_TRAINERS_RUN_READ_RUN_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "trainers/run/epoch_record.h"

namespace gsg {

// What a run's folder says of it, finished or not.
struct RunSummary {
  std::string name;
  std::vector<EpochRecord> epochs;  // in order
  // At the end, on all images; unknown if the run has not come there.
  Scores raw_pixels;
  Scores untrained;
  Scores trained;
  // Settings in the order in which to show them.
  std::vector<std::pair<std::string, std::string>> config;
};

// The run in `folder`, finished or not, called by the folder's last part: its
// scores, its epochs, and its settings but for those of one invocation. What an
// older or newer version measured less or more is unknown or passed over.
// Errors: kNotFound if there is no run; kDataLoss if a file is not what a run
// writes, naming the folder.
absl::StatusOr<RunSummary> ReadRun(const std::string& folder);

}  // namespace gsg

#endif  // GSG_TRAINERS_RUN_READ_RUN_H_

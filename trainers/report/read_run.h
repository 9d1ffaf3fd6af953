#ifndef GSG_TRAINERS_REPORT_READ_RUN_H_
#define GSG_TRAINERS_REPORT_READ_RUN_H_

#include <string>

#include "absl/status/statusor.h"
#include "trainers/report/comparison.h"

namespace gsg {

// The run in `folder`, finished or not, called by the folder's last part: its
// scores, its epochs, and its settings but for those of one invocation. What an
// older or newer version measured less or more is unknown or passed over.
// Errors: kNotFound if there is no run; kDataLoss if a file is not what a run
// writes, naming the folder.
absl::StatusOr<ComparedRun> ReadRun(const std::string& folder);

}  // namespace gsg

#endif  // GSG_TRAINERS_REPORT_READ_RUN_H_

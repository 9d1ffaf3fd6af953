#ifndef GSG_TRAINERS_RUN_METRICS_LOG_H_
#define GSG_TRAINERS_RUN_METRICS_LOG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trainers/base/append_file.h"
#include "trainers/run/epoch_record.h"
#include "trainers/run/tensorboard.h"

namespace gsg {

// What a run writes down after each epoch: metrics.jsonl, one record, a JSON
// object, a line; and TensorBoard's event files, if they are wanted.
class MetricsLog {
 public:
  // In the run's `folder`. Cuts metrics.jsonl off after its first `keep`
  // records, those that the checkpoint to go on from knows: 0 for a new run.
  // A line without its line feed is not a record.
  // Errors: kDataLoss if there are fewer than `keep`; the file system's.
  static absl::StatusOr<MetricsLog> Open(const std::string& folder,
                                         int64_t keep, bool tensorboard);

  // On disk when it returns. After an error the file may end in a part of the
  // record; Open drops it.
  absl::Status Append(const EpochRecord& record);

 private:
  explicit MetricsLog(AppendFile file) : file_(std::move(file)) {}

  AppendFile file_;
  std::optional<TensorBoardLog> events_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_RUN_METRICS_LOG_H_

// TensorBoard's event files: records of the Event protocol buffer
// (tensorflow/core/util/event.proto), framed as TensorFlow's record_writer.h
// says: length, checksum of the length, record, checksum of the record.

#ifndef GSG_TRAINERS_RUN_TENSORBOARD_H_
#define GSG_TRAINERS_RUN_TENSORBOARD_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trainers/base/append_file.h"
#include "trainers/run/epoch_record.h"

namespace gsg {

class TensorBoardLog {
 public:
  // Starts a file events.out.tfevents.<time> in `folder`. Of what other files
  // there have, epochs from `epoch` on (1 is the first) no longer count: they
  // are trained again.
  static absl::StatusOr<TensorBoardLog> Open(const std::string& folder,
                                             int64_t epoch);

  // The record's known fields as scalars of step record.epoch, under
  // "epoch/<name in metrics.jsonl>", and the shares of pairs one by one.
  absl::Status Append(const EpochRecord& record);

 private:
  explicit TensorBoardLog(AppendFile file) : file_(std::move(file)) {}

  AppendFile file_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_RUN_TENSORBOARD_H_

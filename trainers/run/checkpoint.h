// The state of a training run in one file that loading cannot be harmed by.
//
// The file is data only: a zip of tensors and one string, in the format of
// torch.save, so that Python reads it with
//   torch.load("checkpoint-last.pt", weights_only=True)
//     -> {"meta": str (JSON), "model": {name: tensor}, "optimizer": {...}}
// It is sealed with a checksum (sealed_file.h) that is verified before any of
// it is interpreted.

#ifndef GSG_TRAINERS_RUN_CHECKPOINT_H_
#define GSG_TRAINERS_RUN_CHECKPOINT_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace gsg {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

struct Checkpoint {
  std::string meta;        // JSON: everything that is not a tensor
  NamedTensors model;      // parameters and buffers
  NamedTensors optimizer;  // momentum buffers
};

// <folder>/checkpoint-last.pt.
std::string LastCheckpointPath(const std::string& folder);

// Those before it, kept for the day on which the last one turns out to be
// damaged: checkpoint-previous.pt, checkpoint-previous-2.pt, ... `age` is 1 for
// the first.
std::string OlderCheckpointPath(const std::string& folder, int64_t age);

// <folder>/checkpoint-epoch-<epoch>.pt, kept for good.
std::string EpochCheckpointPath(const std::string& folder, int64_t epoch);

// <folder>/checkpoint-best.pt, of --keep_best.
std::string BestCheckpointPath(const std::string& folder);

// Saving, in two steps: what reads the tensors, and what waits for the disk,
// which another thread may do while the tensors change.
std::string PickleCheckpoint(const Checkpoint& checkpoint);

// Writes <folder>/checkpoint-last.pt atomically. `keep` checkpoints are kept, 1
// or more: the new one and those before it.
// Errors: the file system's; the last checkpoint is then what it was.
absl::Status SavePickled(const std::string& folder, std::string pickled,
                         int64_t keep);

// Errors: kNotFound if there is no file; kDataLoss, naming it, if it is
// damaged or not one of ours.
absl::StatusOr<Checkpoint> LoadCheckpoint(const std::string& path);

// Writes `tensors` to `path` atomically, and nothing else:
//   torch.load(path) -> {name: tensor}
// what a torch.nn.Module's load_state_dict takes. Tensors are made contiguous.
// Errors: the file system's; what stood there is then untouched.
absl::Status SaveStateDict(const std::string& path,
                           const NamedTensors& tensors);

// Copies `from` into the tensors of `to` that have the same names.
// Errors: kInvalidArgument naming `what` and the first tensor that is missing,
// left over, or of another shape or dtype; `to` is then unchanged.
absl::Status CopyTensors(absl::string_view what, const NamedTensors& from,
                         const NamedTensors& to);

}  // namespace gsg

#endif  // GSG_TRAINERS_RUN_CHECKPOINT_H_

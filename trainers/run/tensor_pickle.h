// The directory of a checkpoint: which tensors it has, and where their values
// are in the archive.

#ifndef GSG_TRAINERS_RUN_TENSOR_PICKLE_H_
#define GSG_TRAINERS_RUN_TENSOR_PICKLE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace gsg {

// Element [i, j, ...] is number offset + i * strides[0] + j * strides[1] ... of
// the `storage_size` elements in the archive's record data/<record>. Every
// element lies within them, and there are no more elements than that.
struct TensorEntry {
  std::string storage_type;  // as PyTorch names it: "FloatStorage", ...
  std::string record;
  int64_t storage_size = 0;
  int64_t offset = 0;
  std::vector<int64_t> sizes, strides;
};

using TensorEntries = std::vector<std::pair<std::string, TensorEntry>>;

struct CheckpointPickle {
  std::string meta;
  TensorEntries model, optimizer;
};

// Reads the pickle of {"meta": str, "model": {str: tensor}, "optimizer": {str:
// tensor}} as this program writes it.
//
// A pickle is a program, which is what makes other people's dangerous. This is
// no interpreter of it: it expects the instructions that such a value is
// written with, in their order, and refuses any others. Nothing is called, and
// nothing is allocated that is larger than the text it was read from.
// Errors: kDataLoss with the place and what was expected there.
absl::StatusOr<CheckpointPickle> ParseCheckpointPickle(
    absl::string_view pickle);

}  // namespace gsg

#endif  // GSG_TRAINERS_RUN_TENSOR_PICKLE_H_

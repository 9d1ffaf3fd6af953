// The index of a file of torch.save: which tensors it has, and where their
// values are in the archive.

#ifndef GSG_TRAINERS_WEIGHTS_TENSOR_PICKLE_H_
#define GSG_TRAINERS_WEIGHTS_TENSOR_PICKLE_H_

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

struct TensorPickle {
  // Named by the keys on the way to them, joined by dots: "model.conv1.weight"
  // is
  // {"model": {"conv1.weight": tensor}}, or {"model.conv1.weight": tensor}.
  TensorEntries tensors;
  // Texts in the outermost dictionary.
  std::vector<std::pair<std::string, std::string>> texts;
};

// Reads the pickle of nested dictionaries of tensors: a state dict, or a
// checkpoint that has some. Other values in it are passed over: numbers, lists,
// objects such as argparse.Namespace.
//
// A pickle is a program, which is what makes other people's dangerous. This
// runs it on symbols: instructions of protocols 2 to 5 move names and numbers
// about, and what Python would call stays a name that nobody calls. It takes at
// most some 300 MB, whatever the pickle is. Errors: kDataLoss with the place
// and what is wrong there: an instruction that is unknown or lacks its
// operands, a tensor that reaches beyond its storage; no dictionary, or one
// that is nested too deeply.
absl::StatusOr<TensorPickle> ParseTensorPickle(absl::string_view pickle);

}  // namespace gsg

#endif  // GSG_TRAINERS_WEIGHTS_TENSOR_PICKLE_H_

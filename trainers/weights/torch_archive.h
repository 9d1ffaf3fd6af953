// The tensors of a file of torch.save.

#ifndef GSG_TRAINERS_WEIGHTS_TORCH_ARCHIVE_H_
#define GSG_TRAINERS_WEIGHTS_TORCH_ARCHIVE_H_

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace gsg {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

// As TensorPickle has them (tensor_pickle.h), with their values.
struct TorchArchive {
  NamedTensors tensors;
  std::vector<std::pair<std::string, std::string>> texts;
};

// Reads the bytes of a zip archive as torch.save writes it since version 1.6.
// Several names can share one tensor's memory. Whatever the bytes are, it calls
// nothing, and reads at most as many bytes of tensors as there are.
// Errors: kDataLoss saying what is wrong with it; kInvalidArgument if it is a
// program of TorchScript, or from a machine of the other byte order.
absl::StatusOr<TorchArchive> ReadTorchArchive(absl::string_view zip);

}  // namespace gsg

#endif  // GSG_TRAINERS_WEIGHTS_TORCH_ARCHIVE_H_

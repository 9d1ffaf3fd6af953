// The tensors of a safetensors file, the format of Hugging Face's weights.

#ifndef GSG_TRAINERS_WEIGHTS_SAFETENSORS_H_
#define GSG_TRAINERS_WEIGHTS_SAFETENSORS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trainers/weights/torch_archive.h"

namespace gsg {

// Reads the file's bytes: 8 bytes with the header's length n, little-endian; n
// bytes of JSON, {name: {"dtype", "shape", "data_offsets": [begin, end]}}; the
// values. Tensors are in the header's order, with memory of their own.
// Errors: kDataLoss saying what is wrong: no such header, a type that is not
// known, a tensor that reaches beyond the file or whose bytes are not as many
// as its shape says.
absl::StatusOr<NamedTensors> ReadSafetensors(absl::string_view bytes);

// The bytes of a file with these tensors, in their order. Names must differ.
// Its metadata says that it is PyTorch's, which some readers ask for. Errors:
// kInvalidArgument for a type that ReadSafetensors does not know.
absl::StatusOr<std::string> WriteSafetensors(const NamedTensors& tensors);

}  // namespace gsg

#endif  // GSG_TRAINERS_WEIGHTS_SAFETENSORS_H_

// The index of a file of torch.save.

#include "trainers/weights/tensor_pickle.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/trainers/fuzz/check.h"

namespace {

// As the header promises it, in 128 bits.
void CheckWithinStorage(const gsg::TensorEntry& tensor) {
  GSG_FUZZ_CHECK(tensor.sizes.size() == tensor.strides.size());
  __int128 last = tensor.offset, elements = 1;
  GSG_FUZZ_CHECK(tensor.offset >= 0);
  for (size_t d = 0; d < tensor.sizes.size(); ++d) {
    GSG_FUZZ_CHECK(tensor.sizes[d] >= 0 && tensor.strides[d] >= 0);
  }
  for (const int64_t size : tensor.sizes) {
    if (size == 0) return;
  }
  for (size_t d = 0; d < tensor.sizes.size(); ++d) {
    elements *= tensor.sizes[d];
    last += __int128{tensor.sizes[d] - 1} * tensor.strides[d];
    GSG_FUZZ_CHECK(elements <= tensor.storage_size);
    GSG_FUZZ_CHECK(last < tensor.storage_size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::StatusOr<gsg::TensorPickle> pickle = gsg::ParseTensorPickle(
      absl::string_view(reinterpret_cast<const char*>(data), size));
  if (!pickle.ok()) return 0;
  for (const auto& [name, tensor] : pickle->tensors) CheckWithinStorage(tensor);
  return 0;
}

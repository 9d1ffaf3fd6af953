// A checkpoint: the input is sealed if it can be, so that what is behind the
// checksum is reached. LibTorch's own part is not instrumented.

#include "trainers/run/checkpoint.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/sum.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/trainers/fuzz/temporary_file.h"
#include "trainers/base/sealed_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  gsg::Seal(bytes).IgnoreError();
  const gsg::TemporaryFile file(reinterpret_cast<const uint8_t*>(bytes.data()),
                                bytes.size());
  const absl::StatusOr<gsg::Checkpoint> checkpoint =
      gsg::LoadCheckpoint(file.path());
  if (!checkpoint.ok()) return 0;
  // Reads every element.
  for (const auto& [name, tensor] : checkpoint->model) at::sum(tensor);
  for (const auto& [name, tensor] : checkpoint->optimizer) at::sum(tensor);
  return 0;
}

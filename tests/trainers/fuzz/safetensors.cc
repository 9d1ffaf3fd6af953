// A safetensors file. LibTorch's own part is not instrumented.

#include "trainers/weights/safetensors.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/sum.h>

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::StatusOr<gsg::NamedTensors> tensors = gsg::ReadSafetensors(
      absl::string_view(reinterpret_cast<const char*>(data), size));
  if (!tensors.ok()) return 0;
  // Reads every element.
  for (const auto& [name, tensor] : *tensors) at::sum(tensor);
  return 0;
}

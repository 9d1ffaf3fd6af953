// Memory for what a convolution computes on the way.

#ifndef GSG_MODELS_INTERNAL_SCRATCH_H_
#define GSG_MODELS_INTERNAL_SCRATCH_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "c10/core/ScalarType.h"

namespace gsg::internal {

// `size` values that stay with the thread until it asks again: some megabytes,
// for which asking the system each time would take as long as the work.
inline float* Scratch(int64_t size) {
  thread_local at::Tensor memory;
  if (!memory.defined() || memory.numel() < size) {
    memory = at::empty({size}, c10::kFloat);
  }
  return memory.mutable_data_ptr<float>();
}

}  // namespace gsg::internal

#endif  // GSG_MODELS_INTERNAL_SCRATCH_H_

#ifndef GSG_TESTS_CUDA_EMULATED_BATCH_NORM_H_
#define GSG_TESTS_CUDA_EMULATED_BATCH_NORM_H_

#include <vector>

#include "absl/status/status.h"
#include "cuda/batch_norm.h"
#include "cuda/internal/batch_norm_args.h"
#include "cuda/internal/batch_norm_kernel.h"
#include "cuda/internal/batch_norm_plan.h"
#include "cuda/stream.h"
#include "tests/cuda/host_block.h"

namespace gsg::cuda::internal {

template <typename Kernels, typename Args>
void EmulateAll(const Args& args) {
  std::vector<float> sums(2 * Kernels::kWidth * kNormThreads);
  std::vector<double> finish(2 * kNormThreads);
  for (int b = 0; b < args.grid.blocks(); ++b) {
    HostBlock block(b, kNormThreads);
    Kernels::Sum(block, args, sums.data());
  }
  for (int b = 0; b < FinishBlocks(args.grid); ++b) {
    HostBlock block(b, kNormThreads);
    Kernels::Finish(block, args, finish.data());
  }
  for (int b = 0; b < args.grid.blocks(); ++b) {
    HostBlock block(b, kNormThreads);
    Kernels::Apply(block, args);
  }
}

// cuda/batch_norm.h on the host.
template <typename T>
absl::Status EmulatedBatchNorm(const BatchNormShape& shape,
                               const BatchNormForward<T>& forward,
                               Stream /*stream*/) {
  const auto args = PlanBatchNorm(shape, forward);
  if (args.ok()) EmulateAll<NormForwardKernels<T>>(*args);
  return args.status();
}
template <typename T>
absl::Status EmulatedBatchNorm(const BatchNormShape& shape,
                               const BatchNormBackward<T>& backward,
                               Stream /*stream*/) {
  const auto args = PlanBatchNorm(shape, backward);
  if (args.ok()) EmulateAll<NormBackwardKernels<T>>(*args);
  return args.status();
}

}  // namespace gsg::cuda::internal

#endif  // GSG_TESTS_CUDA_EMULATED_BATCH_NORM_H_

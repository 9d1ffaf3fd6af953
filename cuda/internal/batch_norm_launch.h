#ifndef GSG_CUDA_INTERNAL_BATCH_NORM_LAUNCH_H_
#define GSG_CUDA_INTERNAL_BATCH_NORM_LAUNCH_H_

#include "cuda/internal/batch_norm_args.h"
#include "cuda/stream.h"
#include "gsg_core/half.h"

// What nvcc compiles: launches alone. Each returns a cudaError_t.
namespace gsg::cuda::internal {

int Launch(const NormForwardArgs<float>& args, Stream stream);
int Launch(const NormForwardArgs<Half>& args, Stream stream);
int Launch(const NormForwardArgs<BFloat16>& args, Stream stream);
int Launch(const NormBackwardArgs<float>& args, Stream stream);
int Launch(const NormBackwardArgs<Half>& args, Stream stream);
int Launch(const NormBackwardArgs<BFloat16>& args, Stream stream);

}  // namespace gsg::cuda::internal

#endif  // GSG_CUDA_INTERNAL_BATCH_NORM_LAUNCH_H_

#ifndef GSG_CUDA_INTERNAL_AUGMENT_LAUNCH_H_
#define GSG_CUDA_INTERNAL_AUGMENT_LAUNCH_H_

#include "cuda/internal/augment_args.h"
#include "cuda/stream.h"
#include "gsg_core/half.h"

// What nvcc compiles: launches alone. Each returns a cudaError_t.
namespace gsg::cuda::internal {

int Launch(const AugmentArgs<float>& args, int threads, Stream stream);
int Launch(const AugmentArgs<Half>& args, int threads, Stream stream);
int Launch(const AugmentArgs<BFloat16>& args, int threads, Stream stream);

}  // namespace gsg::cuda::internal

#endif  // GSG_CUDA_INTERNAL_AUGMENT_LAUNCH_H_

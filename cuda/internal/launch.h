#ifndef GSG_CUDA_INTERNAL_LAUNCH_H_
#define GSG_CUDA_INTERNAL_LAUNCH_H_

#include "cuda/internal/loss_args.h"
#include "cuda/stream.h"
#include "gsg_core/half.h"

// What nvcc compiles: launches alone. Each returns a cudaError_t.
namespace gsg::cuda::internal {

int Launch(const FourViewArgs<float>& args, const LaunchShape& shape,
           Stream stream);
int Launch(const FourViewArgs<Half>& args, const LaunchShape& shape,
           Stream stream);
int Launch(const FourViewArgs<BFloat16>& args, const LaunchShape& shape,
           Stream stream);
int Launch(const SharedViewArgs<float>& args, const LaunchShape& shape,
           Stream stream);
int Launch(const SharedViewArgs<Half>& args, const LaunchShape& shape,
           Stream stream);
int Launch(const SharedViewArgs<BFloat16>& args, const LaunchShape& shape,
           Stream stream);

}  // namespace gsg::cuda::internal

#endif  // GSG_CUDA_INTERNAL_LAUNCH_H_

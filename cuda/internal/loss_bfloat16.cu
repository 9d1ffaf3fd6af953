#include "cuda/internal/four_view_kernel.h"
#include "cuda/internal/launch.h"
#include "cuda/internal/loss_launch.h"
#include "cuda/internal/shared_view_kernel.h"
#include "gsg_core/half.h"

namespace gsg::cuda::internal {

int Launch(const FourViewArgs<BFloat16>& args, const LaunchShape& shape,
           Stream stream) {
  return LaunchLoss<FourViewKernel, BFloat16>(args, shape, stream);
}

int Launch(const SharedViewArgs<BFloat16>& args, const LaunchShape& shape,
           Stream stream) {
  return LaunchLoss<SharedViewKernel, BFloat16>(args, shape, stream);
}

}  // namespace gsg::cuda::internal

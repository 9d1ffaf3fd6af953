#include "cuda/internal/four_view_kernel.h"
#include "cuda/internal/launch.h"
#include "cuda/internal/loss_launch.h"
#include "cuda/internal/shared_view_kernel.h"
#include "gsg_core/half.h"

namespace gsg::cuda::internal {

int Launch(const FourViewArgs<Half>& args, const LaunchShape& shape,
           Stream stream) {
  return LaunchLoss<FourViewKernel, Half>(args, shape, stream);
}

int Launch(const SharedViewArgs<Half>& args, const LaunchShape& shape,
           Stream stream) {
  return LaunchLoss<SharedViewKernel, Half>(args, shape, stream);
}

}  // namespace gsg::cuda::internal

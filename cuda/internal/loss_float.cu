#include "cuda/internal/four_view_kernel.h"
#include "cuda/internal/launch.h"
#include "cuda/internal/loss_launch.h"
#include "cuda/internal/shared_view_kernel.h"

namespace gsg::cuda::internal {

int Launch(const FourViewArgs<float>& args, const LaunchShape& shape,
           Stream stream) {
  return LaunchLoss<FourViewKernel, float>(args, shape, stream);
}

int Launch(const SharedViewArgs<float>& args, const LaunchShape& shape,
           Stream stream) {
  return LaunchLoss<SharedViewKernel, float>(args, shape, stream);
}

}  // namespace gsg::cuda::internal

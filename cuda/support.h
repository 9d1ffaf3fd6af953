#ifndef GSG_CUDA_SUPPORT_H_
#define GSG_CUDA_SUPPORT_H_

#include "absl/status/status.h"

namespace gsg::cuda {

// Whether the kernels of this library can run on a device, by CUDA's number of
// it. FailedPrecondition, saying what there is and what is needed: there is no
// driver, the driver is older than CUDA 13, or the device older than compute
// capability 8.0. NotFound if there is no such device. Starts no context.
absl::Status CheckSupport(int device);

}  // namespace gsg::cuda

#endif  // GSG_CUDA_SUPPORT_H_

// What kernels of `cuda` are launched on.

#ifndef GSG_MODELS_GPU_CURRENT_STREAM_H_
#define GSG_MODELS_GPU_CURRENT_STREAM_H_

#include "c10/core/Device.h"
#include "cuda/stream.h"

namespace gsg {

// torch's. Null for the CPU, where a test's kernels run.
cuda::Stream CurrentStream(c10::Device device);

}  // namespace gsg

#endif  // GSG_MODELS_GPU_CURRENT_STREAM_H_

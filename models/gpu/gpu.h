// What builds with --config=cuda have in addition: one table of functions. All
// other code asks for the table and works without it.

#ifndef GSG_MODELS_GPU_GPU_H_
#define GSG_MODELS_GPU_GPU_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "cuda/augment.h"
#include "cuda/batch_norm.h"
#include "cuda/guided_loss.h"
#include "cuda/stream.h"
#include "gsg_core/half.h"
#include "gsg_core/loss.h"
#include "pixels/params.h"

namespace gsg {

// cuda/guided_loss.h for one type. A test may put functions of the CPU here.
template <typename T>
struct LossKernel {
  absl::Status (*four)(const FourViews<T>& views,
                       const cuda::LossOptions& options,
                       const FourViewGrads<T>* grads,
                       const cuda::LossOutputs& outputs, cuda::Stream stream);
  absl::Status (*shared)(const cuda::SharedViews<T>& views,
                         const cuda::LossOptions& options,
                         const SharedGrads<T>* grads,
                         const cuda::LossOutputs& outputs, cuda::Stream stream);
  size_t (*workspace_bytes)(int64_t rows);
};

struct LossKernels {
  LossKernel<float> of_float;
  LossKernel<Half> of_half;
  LossKernel<BFloat16> of_bfloat16;
};

// cuda/batch_norm.h for one type, likewise.
template <typename T>
struct BatchNormKernel {
  absl::Status (*forward)(const cuda::BatchNormShape& shape,
                          const cuda::BatchNormForward<T>& forward,
                          cuda::Stream stream);
  absl::Status (*backward)(const cuda::BatchNormShape& shape,
                           const cuda::BatchNormBackward<T>& backward,
                           cuda::Stream stream);
};

struct BatchNormKernels {
  BatchNormKernel<float> of_float;
  BatchNormKernel<Half> of_half;
  BatchNormKernel<BFloat16> of_bfloat16;
};

// cuda/augment.h.
struct AugmentKernel {
  absl::Status (*augment)(const cuda::ImageArray& images,
                          const cuda::AugmentSettings& settings,
                          const int64_t* index, const AugmentParams* params,
                          int64_t views, float* out, void* workspace,
                          uint32_t* faults, cuda::Stream stream);
  size_t (*workspace_bytes)(const cuda::ImageArray& images,
                            const cuda::AugmentSettings& settings,
                            int64_t views);
};

// Records operations on a device once and repeats them: a CUDA graph. Both go
// to the current stream, which must not be the default one.
class Recorder {
 public:
  virtual ~Recorder() = default;

  // Records what `body` asks of the device, which does not do it yet.
  // Errors: kFailedPrecondition if something in it cannot be recorded, and
  // nothing has happened then; those of `body`.
  virtual absl::Status Record(const std::function<absl::Status()>& body) = 0;

  // Repeats the recorded operations on the same buffers, with their current
  // contents.
  virtual void Replay() = 0;
};

struct GpuFunctions {
  LossKernels loss;
  BatchNormKernels batch_norm;
  AugmentKernel augment;
  std::unique_ptr<Recorder> (*make_recorder)();
};

// Null in builds without --config=cuda.
const GpuFunctions* Gpu();

}  // namespace gsg

#endif  // GSG_MODELS_GPU_GPU_H_

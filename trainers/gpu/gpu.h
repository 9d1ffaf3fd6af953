// What only builds with --config=cuda have, behind names that all builds have.

#ifndef GSG_TRAINERS_GPU_GPU_H_
#define GSG_TRAINERS_GPU_GPU_H_

#include <memory>

#include "trainers/engine/resident_views.h"
#include "trainers/engine/step_runner.h"

namespace gsg {

// The kernel of cuda/augment.h; null in other builds.
AugmentBatch GpuAugmentation();

// A CUDA graph. Record and Replay go to the current stream, which must not be
// the default one. Null in other builds.
std::unique_ptr<Recorder> MakeGpuRecorder();

}  // namespace gsg

#endif  // GSG_TRAINERS_GPU_GPU_H_

#include <memory>

#include "trainers/engine/resident_views.h"
#include "trainers/engine/step_runner.h"
#include "trainers/gpu/gpu.h"

namespace gsg {

AugmentBatch GpuAugmentation() { return nullptr; }

std::unique_ptr<Recorder> MakeGpuRecorder() { return nullptr; }

}  // namespace gsg

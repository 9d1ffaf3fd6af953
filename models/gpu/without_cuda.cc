#include "models/gpu/gpu.h"

namespace gsg {

const GpuFunctions* Gpu() { return nullptr; }

}  // namespace gsg

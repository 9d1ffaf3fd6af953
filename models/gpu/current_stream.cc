#include "models/gpu/current_stream.h"

#include "c10/core/Device.h"
#include "c10/core/impl/VirtualGuardImpl.h"
#include "cuda/stream.h"

namespace gsg {

cuda::Stream CurrentStream(c10::Device device) {
  if (device.is_cpu()) return nullptr;
  const c10::impl::VirtualGuardImpl gpu(device.type());
  return static_cast<cuda::Stream>(
      gpu.getStreamNativeHandle(gpu.getStream(device)));
}

}  // namespace gsg

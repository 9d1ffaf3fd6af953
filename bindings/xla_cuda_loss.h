#ifndef GSG_BINDINGS_XLA_CUDA_LOSS_H_
#define GSG_BINDINGS_XLA_CUDA_LOSS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cuda/stream.h"
#include "xla/ffi/api/ffi.h"

namespace gsg {

// The memory of a device and the stream in whose order it is used. Addresses on
// the device have `device` in their name.
class DeviceMemory {
 public:
  virtual ~DeviceMemory() = default;

  virtual cuda::Stream stream() = 0;

  // For the length of one call of a handler, on a multiple of 8 bytes.
  virtual absl::StatusOr<void*> Allocate(size_t bytes) = 0;

  // `host` is free for other use when they return; of ToHost it has the bytes.
  virtual absl::Status ToHost(void* host, const void* device, size_t bytes) = 0;
  virtual absl::Status ToDevice(void* device, const void* host,
                                size_t bytes) = 0;

  virtual absl::Status Zero(void* device, size_t bytes) = 0;
};

// The loss of xla_arguments.h by the kernels of cuda/guided_loss.h, on buffers
// of the device, in its stream. For shared views it waits for the seed or the
// pairing to be there, of which the host makes what the kernel reads; for four
// views it waits for nothing, and a seed that is negative is taken as it is.
//
// A value that is not finite makes the loss NaN. `threads` and `half` mean
// nothing here. InvalidArgument: views of float64, which the kernels do not
// take, or more than cuda::kMaxLocalViews local ones; a pairing with an entry
// that is no row; a negative seed; what cuda::GuidedLoss rejects. Internal:
// CUDA's errors.
absl::Status RunCudaLoss(DeviceMemory& memory, std::string_view distance,
                         std::string_view selection, double temperature,
                         double margin, int64_t threads, bool half,
                         int64_t projections, bool paired,
                         xla::ffi::RemainingArgs args,
                         xla::ffi::RemainingRets rets);

}  // namespace gsg

#endif  // GSG_BINDINGS_XLA_CUDA_LOSS_H_

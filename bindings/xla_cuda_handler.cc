#include "bindings/xla_cuda_handler.h"

#include <cstddef>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "bindings/xla_arguments.h"
#include "bindings/xla_cuda_loss.h"
#include "cuda/internal/cuda_status.h"
#include "cuda/stream.h"
#include "cuda_runtime_api.h"
#include "xla/ffi/api/ffi.h"

namespace gsg {
namespace {

namespace ffi = xla::ffi;
using cuda::internal::CudaStatus;

class GpuMemory final : public DeviceMemory {
 public:
  GpuMemory(cudaStream_t stream, ffi::ScratchAllocator& scratch)
      : stream_(stream), scratch_(scratch) {}

  cuda::Stream stream() override { return stream_; }

  absl::StatusOr<void*> Allocate(size_t bytes) override {
    const std::optional<void*> memory = scratch_.Allocate(bytes, 8);
    if (!memory.has_value()) {
      return absl::InternalError(
          absl::StrCat("XLA has no ", bytes, " bytes of scratch memory"));
    }
    return *memory;
  }

  absl::Status ToHost(void* host, const void* device, size_t bytes) override {
    const absl::Status copied = CudaStatus(
        "copying to the host",
        cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, stream_));
    if (!copied.ok()) return copied;
    return CudaStatus("waiting for the pairing",
                      cudaStreamSynchronize(stream_));
  }

  // CUDA has read memory that is not pinned when it returns.
  absl::Status ToDevice(void* device, const void* host, size_t bytes) override {
    return CudaStatus(
        "copying the pairing",
        cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, stream_));
  }

  absl::Status Zero(void* device, size_t bytes) override {
    return CudaStatus("clearing the workspace",
                      cudaMemsetAsync(device, 0, bytes, stream_));
  }

 private:
  const cudaStream_t stream_;
  ffi::ScratchAllocator& scratch_;
};

XLA_FFI_DEFINE_HANDLER(
    kGuidedLoss,
    ([](cudaStream_t stream, ffi::ScratchAllocator scratch,
        auto&&... arguments) {
      GpuMemory memory(stream, scratch);
      return xla_arguments::ToError(
          RunCudaLoss(memory, std::forward<decltype(arguments)>(arguments)...));
    }),
    xla_arguments::BindLoss(ffi::Ffi::Bind()
                                .Ctx<ffi::PlatformStream<cudaStream_t>>()
                                .Ctx<ffi::ScratchAllocator>()));

}  // namespace

XLA_FFI_Handler* XlaCudaHandler() { return kGuidedLoss; }

}  // namespace gsg

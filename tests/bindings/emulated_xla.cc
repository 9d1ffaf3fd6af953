// RunCudaLoss for XLA's CPU backend, whose memory is the device's here: a
// module for jax_cuda_test, linked to kernels that the host emulates.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bindings/xla_arguments.h"
#include "bindings/xla_capsule.h"
#include "bindings/xla_cuda_loss.h"
#include "cuda/stream.h"
#include "pybind11/pybind11.h"
#include "xla/ffi/api/ffi.h"

namespace gsg {
namespace {

namespace ffi = xla::ffi;

// How often something was waited for.
int waits = 0;

class HostMemory final : public DeviceMemory {
 public:
  cuda::Stream stream() override { return nullptr; }

  absl::StatusOr<void*> Allocate(size_t bytes) override {
    // Not zero, as a GPU's is not.
    allocated_.emplace_back(bytes / 8 + 1, ~uint64_t{0});
    return allocated_.back().data();
  }

  absl::Status ToHost(void* host, const void* device, size_t bytes) override {
    ++waits;
    std::memcpy(host, device, bytes);
    return absl::OkStatus();
  }

  absl::Status ToDevice(void* device, const void* host, size_t bytes) override {
    std::memcpy(device, host, bytes);
    return absl::OkStatus();
  }

  absl::Status Zero(void* device, size_t bytes) override {
    std::memset(device, 0, bytes);
    return absl::OkStatus();
  }

 private:
  std::vector<std::vector<uint64_t>> allocated_;
};

XLA_FFI_DEFINE_HANDLER(kGuidedLoss, ([](auto&&... arguments) {
                         HostMemory memory;
                         return xla_arguments::ToError(RunCudaLoss(
                             memory,
                             std::forward<decltype(arguments)>(arguments)...));
                       }),
                       xla_arguments::BindLoss(ffi::Ffi::Bind()));

PYBIND11_MODULE(_emulated_xla, module) {
  module.attr("guided_loss") = XlaCapsule(kGuidedLoss);
  module.def("waits", [] { return std::exchange(waits, 0); });
}

}  // namespace
}  // namespace gsg

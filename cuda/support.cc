#include "cuda/support.h"

#include <cuda_runtime_api.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace gsg::cuda {
namespace {

// As CUDA writes versions: 1000 times the major and 10 times the minor one.
constexpr int kOldestDriver = CUDART_VERSION / 1000 * 1000;
constexpr int kOldestMajor = 8;  // bazel/cuda.bzl

}  // namespace

absl::Status CheckSupport(int device) {
  int driver = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0) {
    return absl::FailedPreconditionError(
        "there is no driver for an NVIDIA GPU: install NVIDIA's driver");
  }
  if (driver < kOldestDriver) {
    return absl::FailedPreconditionError(absl::StrCat(
        "NVIDIA's driver is one for CUDA ", driver / 1000, ".",
        driver % 1000 / 10, "; the kernels need CUDA ", kOldestDriver / 1000,
        ".0 or newer: install a newer driver"));
  }
  int major = 0, minor = 0;
  if (cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor,
                             device) != cudaSuccess ||
      cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor,
                             device) != cudaSuccess) {
    cudaGetLastError();  // it is told here, not to the next who asks
    return absl::NotFoundError(absl::StrCat("there is no GPU ", device));
  }
  if (major < kOldestMajor) {
    return absl::FailedPreconditionError(absl::StrCat(
        "GPU ", device, " has compute capability ", major, ".", minor,
        "; the kernels need ", kOldestMajor, ".0 or newer"));
  }
  return absl::OkStatus();
}

}  // namespace gsg::cuda

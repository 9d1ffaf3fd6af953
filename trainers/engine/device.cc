#include "trainers/engine/device.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace gsg {

absl::StatusOr<c10::Device> ChooseDevice(const std::string& name) {
  const bool has_cuda = at::hasCUDA();
  if (name == "cuda" && !has_cuda) {
    return absl::FailedPreconditionError(
        "--device=cuda: this program sees no GPU. It needs an NVIDIA driver "
        "and a build with --config=cuda.");
  }
  const bool cuda = name == "cuda" || (name == "auto" && has_cuda);
  return c10::Device(cuda ? c10::kCUDA : c10::kCPU);
}

void UseThreads(int64_t threads) {
  at::set_num_threads(threads > 0 ? static_cast<int>(threads)
                                  : std::thread::hardware_concurrency());
}

}  // namespace gsg

#include "trainers/evaluate/device.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/Device.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "models/tensor_memory.h"
#include "trainers/base/cpus.h"

namespace gsg {

absl::StatusOr<c10::Device> ChooseDevice(const std::string& name,
                                         std::optional<int> number) {
  const bool has_cuda = at::hasCUDA();
  if (name == "cuda" && !has_cuda) {
    return absl::FailedPreconditionError(
        "--device=cuda: this program sees no GPU. It needs an NVIDIA driver "
        "and a build with --config=cuda.");
  }
  const bool cuda = name == "cuda" || (name == "auto" && has_cuda);
  if (!cuda) return c10::Device(c10::kCPU);
  if (!number.has_value()) return c10::Device(c10::kCUDA);
  if (const size_t gpus = at::getNumGPUs(); *number >= static_cast<int>(gpus)) {
    return absl::FailedPreconditionError(
        absl::StrCat("this is process ", *number,
                     " of its machine, counted from 0, which has ", gpus,
                     " GPUs: start one for each, or use --device=cpu"));
  }
  return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(*number));
}

CpuThreads::CpuThreads(int64_t threads, int processes) {
  at::set_num_threads(threads > 0 ? static_cast<int>(threads)
                                  : std::max(1, UsableCpus() / processes));
  const int all = at::get_num_threads();
  if (all > 1) wait_policy_.emplace(all);
  KeepTensorMemory();
}

}  // namespace gsg

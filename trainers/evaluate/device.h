// Where to compute, by the flags --device and --threads.

#ifndef GSG_TRAINERS_EVALUATE_DEVICE_H_
#define GSG_TRAINERS_EVALUATE_DEVICE_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "trainers/base/wait_policy.h"

namespace gsg {

// "cpu", "cuda", or "auto", which is cuda if there is one. Of several processes
// on a machine `number` takes the GPU of that number; nullopt: the first.
// Errors: kFailedPrecondition for cuda where there is none (of that number).
absl::StatusOr<c10::Device> ChooseDevice(
    const std::string& name, std::optional<int> number = std::nullopt);

// While it lives LibTorch computes with so many threads; 0 = all that this
// process may use (base/cpus.h), shared equally by `processes`. How they wait
// for each other is WaitPolicy's (base/wait_policy.h). The memory of tensors is
// kept from then on (models/tensor_memory.h).
class CpuThreads {
 public:
  explicit CpuThreads(int64_t threads, int processes = 1);

 private:
  std::optional<WaitPolicy> wait_policy_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_EVALUATE_DEVICE_H_

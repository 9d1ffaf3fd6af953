// Where to compute, by the flags --device and --threads.

#ifndef GSG_TRAINERS_ENGINE_DEVICE_H_
#define GSG_TRAINERS_ENGINE_DEVICE_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace gsg {

// "cpu", "cuda", or "auto", which is cuda if there is one.
// Errors: kFailedPrecondition for cuda where there is none.
absl::StatusOr<c10::Device> ChooseDevice(const std::string& name);

// Sets LibTorch's number of CPU threads; 0 = all that the machine has.
void UseThreads(int64_t threads);

}  // namespace gsg

#endif  // GSG_TRAINERS_ENGINE_DEVICE_H_

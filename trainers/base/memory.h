// What happens when there is no memory left.

#ifndef GSG_TRAINERS_BASE_MEMORY_H_
#define GSG_TRAINERS_BASE_MEMORY_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace gsg {

// "memory ran out", and when: "while a batch was made". kResourceExhausted, as
// a full disk is; MemoryRanOut() tells them apart, since other things help.
absl::Status MemoryError(absl::string_view when = "");

// Whether `status` is a MemoryError.
bool MemoryRanOut(const absl::Status& status);

// What `work` returns, or a MemoryError where it throws what operator new and
// LibTorch throw then. Other exceptions pass.
absl::Status OrMemoryError(absl::FunctionRef<absl::Status()> work,
                           absl::string_view when = "");

}  // namespace gsg

#endif  // GSG_TRAINERS_BASE_MEMORY_H_

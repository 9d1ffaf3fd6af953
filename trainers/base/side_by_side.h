#ifndef GSG_TRAINERS_BASE_SIDE_BY_SIDE_H_
#define GSG_TRAINERS_BASE_SIDE_BY_SIDE_H_

#include <cstddef>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace gsg {

// Calls work(0), ..., work(count - 1), each on a thread of its own, the first
// on the caller's, and returns when all have returned. What the system gives no
// thread for is called on the caller's, after the first.
// Returns the first error by number. What a call throws for want of memory is a
// MemoryError (memory.h): an exception that leaves a thread ends the program.
absl::Status SideBySide(size_t count,
                        absl::FunctionRef<absl::Status(size_t)> work);

}  // namespace gsg

#endif  // GSG_TRAINERS_BASE_SIDE_BY_SIDE_H_

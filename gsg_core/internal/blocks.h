// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_INTERNAL_BLOCKS_H_
#define GSG_GSG_CORE_INTERNAL_BLOCKS_H_

#include <algorithm>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "gsg_core/config.h"
#include "gsg_core/executor.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace core_internal {

// Rows of one task: a few hundred microseconds' worth at D = 2048, to spread
// evenly and to wake threads seldom.
inline constexpr int64_t kRowsPerTask = 16;

// Calls body(begin, end) for blocks that cover 0..n-1. executor may be null.
inline void ForBlocks(Executor* executor, int64_t n,
                      absl::FunctionRef<void(int64_t, int64_t)> body) {
  const auto block = [&](int64_t task) {
    const int64_t begin = task * kRowsPerTask;
    body(begin, std::min(n, begin + kRowsPerTask));
  };
  SerialExecutor serial;
  Executor& chosen = executor != nullptr ? *executor : serial;
  chosen.ParallelFor((n + kRowsPerTask - 1) / kRowsPerTask, block);
}

}  // namespace core_internal
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_INTERNAL_BLOCKS_H_

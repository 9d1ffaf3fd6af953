// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_EXECUTOR_H_
#define GSG_GSG_CORE_EXECUTOR_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "gsg_core/config.h"

namespace gsg {
GSG_NAMESPACE_BEGIN

// Where gsg_core runs its loops. Implement it over the threads a program
// already has, or use ThreadPool. Results never depend on the executor.
class GSG_EXPORT Executor {
 public:
  virtual ~Executor() = default;

  // How many calls of a body may be under way at once; at least 1.
  virtual int concurrency() const = 0;

  // Calls body(0), ..., body(tasks - 1), each once, in any order and on any
  // threads, and returns when all have returned. Bodies do not throw.
  virtual void ParallelFor(int64_t tasks,
                           absl::FunctionRef<void(int64_t)> body) = 0;
};

// Runs everything on the calling thread.
class SerialExecutor final : public Executor {
 public:
  int concurrency() const override { return 1; }
  void ParallelFor(int64_t tasks,
                   absl::FunctionRef<void(int64_t)> body) override {
    for (int64_t task = 0; task < tasks; ++task) body(task);
  }
};

GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_EXECUTOR_H_

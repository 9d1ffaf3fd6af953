#include "trainers/loss/aten_executor.h"

#include <ATen/Parallel.h>

#include <cstdint>

#include "absl/functional/function_ref.h"

#ifndef INTRA_OP_PARALLEL
#error at::parallel_for is a loop on one thread: see openmp in bazel/cc.bzl
#endif

namespace gsg {

int AtenExecutor::concurrency() const { return at::get_num_threads(); }

void AtenExecutor::ParallelFor(int64_t tasks,
                               absl::FunctionRef<void(int64_t)> body) {
  at::parallel_for(0, tasks, /*grain_size=*/1,
                   [body](int64_t begin, int64_t end) {
                     for (int64_t task = begin; task < end; ++task) body(task);
                   });
}

}  // namespace gsg

#ifndef GSG_BINDINGS_OPEN_MP_EXECUTOR_H_
#define GSG_BINDINGS_OPEN_MP_EXECUTOR_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "gsg_core/executor.h"

namespace gsg {

// Loops on the threads of an OpenMP runtime that the process has already, which
// is not linked to: it is known by the address of its GOMP_parallel (the entry
// of GCC's libgomp, since GCC 4.9, which LLVM's and Intel's runtimes have,
// too).
//
// Behind a parallel region OpenMP's threads wait for the next one by spinning,
// for milliseconds. Threads of our own would share their cores with them.
class OpenMpExecutor final : public Executor {
 public:
  // threads >= 1; the runtime may give fewer.
  OpenMpExecutor(uintptr_t gomp_parallel, int threads)
      : gomp_parallel_(reinterpret_cast<GompParallel*>(gomp_parallel)),
        threads_(threads) {}

  int concurrency() const override { return threads_; }
  void ParallelFor(int64_t tasks,
                   absl::FunctionRef<void(int64_t)> body) override;

 private:
  using GompParallel = void(void (*fn)(void*), void* data, unsigned num_threads,
                            unsigned flags);

  GompParallel* const gomp_parallel_;
  const int threads_;
};

}  // namespace gsg

#endif  // GSG_BINDINGS_OPEN_MP_EXECUTOR_H_

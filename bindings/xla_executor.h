#ifndef GSG_BINDINGS_XLA_EXECUTOR_H_
#define GSG_BINDINGS_XLA_EXECUTOR_H_

#include <algorithm>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "gsg_core/executor.h"
#include "xla/ffi/api/ffi.h"

namespace gsg {

// Loops on the threads of XLA's own pool, and on the calling one, for the
// length of one call of a handler.
class XlaExecutor final : public Executor {
 public:
  // threads >= 1; the pool may have fewer.
  XlaExecutor(xla::ffi::ThreadPool pool, int64_t threads)
      : pool_(pool),
        threads_(static_cast<int>(
            std::max<int64_t>(1, std::min(threads, pool.num_threads())))) {}

  int concurrency() const override { return threads_; }
  void ParallelFor(int64_t tasks,
                   absl::FunctionRef<void(int64_t)> body) override;

 private:
  xla::ffi::ThreadPool pool_;
  const int threads_;
};

}  // namespace gsg

#endif  // GSG_BINDINGS_XLA_EXECUTOR_H_

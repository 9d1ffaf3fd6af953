#ifndef GSG_TRAINERS_LOSS_ATEN_EXECUTOR_H_
#define GSG_TRAINERS_LOSS_ATEN_EXECUTOR_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "gsg_core/executor.h"

namespace gsg {

// gsg_core on the threads that LibTorch computes with, at::get_num_threads() of
// them.
class AtenExecutor final : public Executor {
 public:
  int concurrency() const override;
  void ParallelFor(int64_t tasks,
                   absl::FunctionRef<void(int64_t)> body) override;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_LOSS_ATEN_EXECUTOR_H_

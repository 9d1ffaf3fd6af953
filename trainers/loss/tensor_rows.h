// How gsg_core sees tensors: their memory as rows, and LibTorch's threads.

#ifndef GSG_TRAINERS_LOSS_TENSOR_ROWS_H_
#define GSG_TRAINERS_LOSS_TENSOR_ROWS_H_

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <type_traits>
#include <vector>

#include "absl/functional/function_ref.h"
#include "gsg_core/executor.h"
#include "gsg_core/rows.h"

namespace gsg {

// gsg_core on the threads that LibTorch computes with.
class AtenExecutor final : public Executor {
 public:
  int concurrency() const override { return at::get_num_threads(); }
  void ParallelFor(int64_t tasks,
                   absl::FunctionRef<void(int64_t)> body) override {
    at::parallel_for(0, tasks, /*grain_size=*/1,
                     [body](int64_t begin, int64_t end) {
                       for (int64_t task = begin; task < end; ++task) {
                         body(task);
                       }
                     });
  }
};

// Of a contiguous [N, D] tensor of T on the CPU.
template <typename T>
Rows<T> RowsOf(const at::Tensor& t) {
  return Rows<T>(t.data_ptr<std::remove_const_t<T>>(), t.size(0), t.size(1));
}

// On the CPU, contiguous, outside autograd; no copy if it is so already.
inline std::vector<at::Tensor> OnCpu(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> result;
  for (const at::Tensor& t : tensors) {
    result.push_back(t.detach().cpu().contiguous());
  }
  return result;
}

}  // namespace gsg

#endif  // GSG_TRAINERS_LOSS_TENSOR_ROWS_H_

// Step results, read from a GPU without synchronizing.

#ifndef GSG_TRAINERS_TRAIN_RESULT_QUEUE_H_
#define GSG_TRAINERS_TRAIN_RESULT_QUEUE_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Event.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "trainers/methods/method.h"

namespace gsg {

// Results of steps, first in, first out. Numbers can be taken at once. Tensors
// (StepResult::on_device) are copied to the CPU in blocks, behind the steps
// that the GPU has been given so far, and become numbers once a copy has
// arrived.
class ResultQueue {
 public:
  // Tensors of `block` >= 1 steps go in one copy.
  explicit ResultQueue(int64_t block = 32) : block_(block) {}

  // All tensors are of one device.
  void Put(StepResult result);

  // Those that are known by now, in order and as numbers. Waits only if two
  // blocks are on their way, for the first of them: a result is known before
  // 2 * block more have been put in.
  std::vector<StepResult> Take();

  // All, waiting for them.
  std::vector<StepResult> TakeAll();

  // How many are still in the queue.
  int64_t size() const { return size_; }

 private:
  // A copy on its way. Without a tensor it is one result of numbers.
  struct Block {
    StepResult numbers;
    at::Tensor rows;                    // [n, 7] float64 on the CPU
    std::optional<c10::Event> arrival;  // of `rows`; nullopt: they are there
  };

  void Send();
  void Open(std::vector<StepResult>* results);

  const int64_t block_;
  std::vector<at::Tensor> unsent_;
  std::deque<Block> blocks_;
  int64_t size_ = 0;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_TRAIN_RESULT_QUEUE_H_

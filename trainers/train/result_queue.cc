#include "trainers/train/result_queue.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "trainers/methods/method.h"

namespace gsg {
namespace {

StepResult Read(const double* row) {
  StepResult result;
  result.loss = row[0];
  result.feature_std = row[1];
  for (size_t k = 0; k < result.pair_count.size(); ++k) {
    result.pair_count[k] = static_cast<int64_t>(row[2 + k]);
  }
  return result;
}

}  // namespace

void ResultQueue::Put(StepResult result) {
  ++size_;
  if (result.on_device.defined()) {
    unsent_.push_back(std::move(result.on_device));
    if (static_cast<int64_t>(unsent_.size()) == block_) Send();
    return;
  }
  Send();
  blocks_.emplace_back().numbers = result;
}

void ResultQueue::Send() {
  if (unsent_.empty()) return;
  const at::Tensor rows = at::stack(unsent_);
  unsent_.clear();
  Block& block = blocks_.emplace_back();
  if (rows.is_cpu()) {
    block.rows = rows;
    return;
  }
  // From pageable memory a copy would not be asynchronous.
  block.rows = at::empty(
      rows.sizes(), at::TensorOptions(rows.scalar_type()).pinned_memory(true));
  block.rows.copy_(rows, /*non_blocking=*/true);
  const c10::impl::VirtualGuardImpl device(rows.device().type());
  block.arrival.emplace(rows.device().type());
  block.arrival->record(device.getStream(rows.device()));
}

void ResultQueue::Open(std::vector<StepResult>* results) {
  const Block& block = blocks_.front();
  if (block.arrival) block.arrival->synchronize();
  if (block.rows.defined()) {
    const double* row = block.rows.const_data_ptr<double>();
    for (int64_t i = 0; i < block.rows.size(0); ++i) {
      results->push_back(Read(row + i * block.rows.size(1)));
    }
  } else {
    results->push_back(block.numbers);
  }
  blocks_.pop_front();
}

std::vector<StepResult> ResultQueue::Take() {
  std::vector<StepResult> results;
  while (!blocks_.empty() && (blocks_.size() > 1 || !blocks_.front().arrival ||
                              blocks_.front().arrival->query())) {
    Open(&results);
  }
  size_ -= static_cast<int64_t>(results.size());
  return results;
}

std::vector<StepResult> ResultQueue::TakeAll() {
  Send();
  std::vector<StepResult> results;
  while (!blocks_.empty()) Open(&results);
  size_ = 0;
  return results;
}

}  // namespace gsg

// Averages gradients over the ranks while the backward pass is running.

#ifndef GSG_TRAINERS_DISTRIBUTED_GRADIENT_AVERAGER_H_
#define GSG_TRAINERS_DISTRIBUTED_GRADIENT_AVERAGER_H_

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "trainers/distributed/world.h"

namespace c10d {
class Reducer;
}  // namespace c10d

namespace gsg {

// c10d::Reducer (Li et al., arXiv 2006.15704), which is what
// DistributedDataParallel is made of. From its making on every backward pass
// through `parameters` must be announced by BeforeBackward and reach all of
// them, however many forward passes it has; it leaves the mean over the ranks
// in each .grad.
class GradientAverager {
 public:
  // On every rank the same parameters, in the order in which the network uses
  // them. Throws what c10d does.
  GradientAverager(const World& world, std::vector<at::Tensor> parameters);
  ~GradientAverager();

  void BeforeBackward();

 private:
  const std::unique_ptr<c10d::Reducer> reducer_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_DISTRIBUTED_GRADIENT_AVERAGER_H_

// A batch that is spread over several processes.

#ifndef GSG_MODELS_BATCH_PARTS_H_
#define GSG_MODELS_BATCH_PARTS_H_

#include "ATen/core/Tensor.h"

namespace gsg {

// The parts of a batch, each in a process of its own.
class BatchParts {
 public:
  virtual ~BatchParts() = default;

  // Each part's tensor, of one shape and type: [parts, ...]. All parts call
  // this the same number of times, in the same order. May throw.
  virtual at::Tensor Gather(const at::Tensor& mine) = 0;
};

}  // namespace gsg

#endif  // GSG_MODELS_BATCH_PARTS_H_

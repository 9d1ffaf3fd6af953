#ifndef GSG_TRAINERS_TRAIN_MEMORY_ESTIMATE_H_
#define GSG_TRAINERS_TRAIN_MEMORY_ESTIMATE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "trainers/config/config.h"
#include "trainers/methods/method.h"
#include "trainers/optim/optimizer.h"

namespace gsg {

struct ResourceEstimate {
  int64_t memory = 0;  // bytes at the peak of a step, with the loader's batches
  int64_t disk = 0;    // bytes of all checkpoints that the run keeps at once
};

// What a run on the CPU needs. Takes two small steps on made-up images of
// `channels` channels, counts what LibTorch allocates, and extrapolates to
// config.batch_size: activations grow with the batch, weights do not. The
// method is as before afterwards. Memory that libraries take for themselves is
// not counted. Errors: Method::Backward's.
absl::StatusOr<ResourceEstimate> EstimateResources(const Config& config,
                                                   int64_t channels,
                                                   Method& method,
                                                   Optimizer& optimizer);

// Bytes that this process can still take: what the machine has available, and
// what its control group leaves. 0 if unknown.
int64_t AvailableMemory();

// A warning if `estimate` is more than there is, or "": what is missing and
// which flags help. `disk` are the bytes free in the run's folder, negative if
// unknown.
std::string ResourceWarning(const ResourceEstimate& estimate, int64_t memory,
                            int64_t disk, const Config& config);

}  // namespace gsg

#endif  // GSG_TRAINERS_TRAIN_MEMORY_ESTIMATE_H_

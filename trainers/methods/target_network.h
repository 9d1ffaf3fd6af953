// BYOL's momentum encoder (Grill et al., arXiv 2006.07733, section 3): a copy
// of backbone and projector that follows the trained one slowly and gives the
// targets.

#ifndef GSG_TRAINERS_METHODS_TARGET_NETWORK_H_
#define GSG_TRAINERS_METHODS_TARGET_NETWORK_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "models/batch_parts.h"
#include "models/batch_statistics.h"
#include "models/module_state.h"
#include "models/siamese.h"

namespace gsg {

struct TargetOptions {
  double momentum = 0.99;
  // Lets the momentum rise to 1 over the run, along a cosine (section 3.2):
  // 1 - (1 - momentum) * (cos(pi * progress) + 1) / 2.
  bool cosine = false;
};

// The momentum at `progress` in 0..1 of the run.
double TargetMomentum(const TargetOptions& options, double progress);

// As in the guided stop-gradient authors' code, the encoder is in training
// mode, so that BatchNorm uses the statistics of the batch; the update averages
// parameters and not buffers, which follow from its own batches.
class TargetNetwork {
 public:
  // A copy of `online`, which was made from `network`.
  static absl::StatusOr<TargetNetwork> Create(const SiameseOptions& network,
                                              const TargetOptions& options,
                                              SiameseModel& online,
                                              c10::Device device);

  // parameters <- m * parameters + (1 - m) * online's, m the momentum.
  void Update(SiameseModel& online, double progress);

  // [views * B, C, S, S] -> [views * B, D], outside autograd. With one view
  // several threads may call it at once (models/threads_apart.h).
  at::Tensor Project(const at::Tensor& pixels, int64_t views);

  // A frozen backbone is never in training mode (Method::FreezeBackbone).
  void SetTraining(bool training, bool frozen) {
    SetModuleTraining(model_->module(), training);
    if (frozen) SetModuleTraining(model_->backbone().module(), false);
  }

  // See models/batch_norm.h.
  void Synchronize(BatchParts* parts) {
    SynchronizeBatchNorm(model_->module(), parts);
  }

  // Behind "target.".
  NamedTensors State() const {
    return ModuleState("target.", model_->module());
  }

 private:
  TargetNetwork(std::shared_ptr<SiameseModel> model,
                const TargetOptions& options)
      : model_(std::move(model)), options_(options) {}

  std::shared_ptr<SiameseModel> model_;
  TargetOptions options_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_METHODS_TARGET_NETWORK_H_

// SimSiam and BYOL, guided or not: one forward pass, one loss, and two
// switches.

#ifndef GSG_TRAINERS_METHODS_SIAMESE_METHOD_H_
#define GSG_TRAINERS_METHODS_SIAMESE_METHOD_H_

#include <c10/core/Device.h>

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "models/siamese.h"
#include "trainers/methods/method.h"
#include "trainers/methods/target_network.h"

namespace gsg {

struct SiameseMethodOptions {
  SiameseOptions network;
  // nullopt: SimSiam, whose targets are its own projections. Else BYOL, whose
  // targets are those of a momentum encoder (target_network.h).
  std::optional<TargetOptions> target;
  double weight_decay = 0;
  bool decay_bias_and_norm = true;
  bool constant_predictor_lr = false;
  // Called with the new backbone before anything is copied from it: to start
  // from weights that are there.
  std::function<absl::Status(Backbone&)> prepare_backbone;
  // Convolutions and matrix products in bfloat16 (autocast.h).
  bool bfloat16 = false;
};

// Step by step, for each view x: z = f(x), p = h(z), and the target t: z itself
// or the momentum encoder's projection of x, after its update. Both the guiding
// distances (arXiv 2503.09058, section 3) and the loss use t, without gradient;
// StepInput::loss says which views are sources (selection none: all, which is
// plain SimSiam or BYOL).
//
// Views of one size pass the encoder as one batch, in which BatchNorm's
// statistics are those of one view, as in the authors' code (BatchOfViews). On
// a CPU whose threads the views can be shared out to evenly, each thread has
// views of its own instead, if a view has 32 images or more and no more than
// 200,000 weights each: the same but for rounding, faster in small networks,
// and much faster where other programs use the cores, too. With four views an
// image's last two stand in the row of the image whose second image it is: that
// reorders rows of p and t behind the pass, where it is cheap and changes no
// statistics.
//
// Local views only predict: they pass backbone, projector and predictor, and
// not the momentum encoder.
//
// Checkpoint names: "backbone.", "projector.", "predictor." and, for BYOL,
// "target.backbone." and "target.projector.".
//
// Errors: those of MakeSiameseModel.
absl::StatusOr<std::unique_ptr<Method>> MakeSiameseMethod(
    const SiameseMethodOptions& options, c10::Device device);

}  // namespace gsg

#endif  // GSG_TRAINERS_METHODS_SIAMESE_METHOD_H_

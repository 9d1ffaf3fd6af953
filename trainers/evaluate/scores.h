// How good frozen features are, and what they are compared with.

#ifndef GSG_TRAINERS_EVALUATE_SCORES_H_
#define GSG_TRAINERS_EVALUATE_SCORES_H_

#include <string>

#include "absl/status/statusor.h"
#include "trainers/config/config.h"
#include "trainers/evaluate/features.h"
#include "trainers/image/dataset.h"
#include "trainers/run/run_state.h"

namespace gsg {

// Features of training and test images. Where nothing is labeled, `test` is
// empty.
struct FeaturePair {
  Features train;
  Features test;
};

// Weighted k-NN and, with config.linear_probe, a linear probe, both on all
// these images, which are labeled. Errors: those of trainers/evaluate, naming
// `what`.
absl::StatusOr<Scores> MeasureScores(const std::string& what,
                                     const FeaturePair& features,
                                     const Dataset& dataset,
                                     const Config& config);

}  // namespace gsg

#endif  // GSG_TRAINERS_EVALUATE_SCORES_H_

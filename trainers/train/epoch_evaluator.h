#ifndef GSG_TRAINERS_TRAIN_EPOCH_EVALUATOR_H_
#define GSG_TRAINERS_TRAIN_EPOCH_EVALUATOR_H_

#include <c10/core/Device.h>

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trainers/config/config.h"
#include "trainers/evaluate/evaluation_images.h"
#include "trainers/evaluate/features.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/dataset.h"
#include "trainers/image/image_source.h"
#include "trainers/methods/method.h"
#include "trainers/run/epoch_record.h"
#include "trainers/train/rank_agreement.h"

namespace gsg {

// Scores a network after an epoch: effective rank of its features, and k-NN
// where there are labels.
class EpochEvaluator {
 public:
  // All must outlive this.
  EpochEvaluator(const Config* config, const Dataset* dataset, Method* method,
                 c10::Device device, DamagedImages* damaged,
                 RankAgreement* ranks)
      : config_(*config),
        dataset_(*dataset),
        method_(*method),
        device_(device),
        damaged_(*damaged),
        ranks_(*ranks) {}

  // Fills in effective_rank and, every --knn_every epochs, knn_top1, on the
  // root; all ranks compute features. Errors: kCancelled after a signal; those
  // of BackboneFeatures and RankAgreement::Agree.
  absl::Status Score(EpochRecord* record);

  // How images are prepared for evaluation.
  EvaluationOptions options() const;

 private:
  absl::Status ScoreFeatures(const Features& queries, const Features* bank,
                             EpochRecord* record);
  absl::StatusOr<Features> EvenlySpacedFeatures(const ImageSource& source,
                                                int64_t count);

  const Config& config_;
  const Dataset& dataset_;
  Method& method_;
  const c10::Device device_;
  DamagedImages& damaged_;
  RankAgreement& ranks_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_TRAIN_EPOCH_EVALUATOR_H_

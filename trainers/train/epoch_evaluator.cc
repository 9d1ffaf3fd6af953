#include "trainers/train/epoch_evaluator.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/isfinite.h>

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gsg_core/meters.h"
#include "gsg_core/rows.h"
#include "gsg_core/status_macros.h"
#include "trainers/distributed/world.h"
#include "trainers/evaluate/evaluation_images.h"
#include "trainers/evaluate/features.h"
#include "trainers/evaluate/knn.h"
#include "trainers/image/image_source.h"
#include "trainers/methods/autocast.h"
#include "trainers/run/epoch_record.h"

namespace gsg {
namespace {

// Images whose effective rank is measured where no test set says how many.
constexpr int64_t kUnlabeledQueries = 2000;

}  // namespace

EvaluationOptions EpochEvaluator::options() const {
  EvaluationOptions options;
  options.side = EvaluationSide(*dataset_.train, config_.augment.size);
  options.stats = dataset_.stats;
  options.threads = at::get_num_threads();
  return options;
}

absl::StatusOr<Features> EpochEvaluator::EvenlySpacedFeatures(
    const ImageSource& source, int64_t count) {
  // In the precision of training. On a GPU k-NN in float32 and the checkpoint
  // took three times as long as the epoch (docs/gpu.md).
  const Autocast autocast(method_.bfloat16(), device_);
  return FeaturesOfRanks(
      ranks_.world(), source, EvenlySpaced(source.size(), count),
      [&](absl::Span<const int64_t> indices) {
        return BackboneFeatures(method_.backbone(), source, indices, options(),
                                device_, &damaged_);
      });
}

absl::Status EpochEvaluator::Score(EpochRecord* record) {
  const bool labeled = dataset_.labeled();
  GSG_ASSIGN_OR_RETURN(
      const Features queries,
      EvenlySpacedFeatures(labeled ? *dataset_.test : *dataset_.train,
                           labeled || config_.knn_queries > 0
                               ? config_.knn_queries
                               : kUnlabeledQueries));
  const bool with_knn = labeled && config_.knn_every > 0 &&
                        record->epoch % config_.knn_every == 0;
  Features bank;
  if (with_knn) {
    GSG_ASSIGN_OR_RETURN(
        bank, EvenlySpacedFeatures(*dataset_.train, config_.knn_bank));
  }
  if (ranks_.world().root()) {
    GSG_RETURN_IF_ERROR(ranks_.ReportRootOnly(
        ScoreFeatures(queries, with_knn ? &bank : nullptr, record)));
  }
  // Scoring takes the root alone some time.
  GSG_RETURN_IF_ERROR(ranks_.world().WaitForRoot());
  return ranks_.Agree();
}

absl::Status EpochEvaluator::ScoreFeatures(const Features& queries,
                                           const Features* bank,
                                           EpochRecord* record) {
  if (!at::isfinite(queries.rows).all().item<bool>()) {
    return absl::OutOfRangeError(
        "the features are not finite (NaN or infinite)");
  }
  GSG_ASSIGN_OR_RETURN(record->effective_rank,
                       EffectiveRank(Rows<const float>(
                           queries.rows.const_data_ptr<float>(),
                           queries.rows.size(0), queries.rows.size(1))));
  if (bank == nullptr) return absl::OkStatus();
  // One matrix product a block of queries, where the network is.
  GSG_ASSIGN_OR_RETURN(
      record->knn_top1,
      KnnTop1(bank->rows.to(device_), bank->labels.to(device_),
              queries.rows.to(device_), queries.labels.to(device_),
              dataset_.classes.size(),
              {config_.knn_k, config_.knn_temperature}));
  return absl::OkStatus();
}

}  // namespace gsg

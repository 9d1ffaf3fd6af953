// What is measured in a run: one idea for the loop, which measures, the
// checkpoint and metrics.jsonl, which keep, and the terminal and the report,
// which show it.

#ifndef GSG_TRAINERS_RUN_EPOCH_RECORD_H_
#define GSG_TRAINERS_RUN_EPOCH_RECORD_H_

#include <array>
#include <cstdint>
#include <limits>

namespace gsg {

// Not measured, or in a file null.
inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// One epoch of training, a line of metrics.jsonl.
struct EpochRecord {
  int64_t epoch = 0;  // 1 is the first
  int64_t step = 0;   // batches so far
  double loss = kUnknown;
  double knn_top1 = kUnknown;  // percent
  // Projections on their unit sphere: mean over dimensions of the standard
  // deviation, times sqrt(dimensions). 1 = spread, 0 = collapsed.
  double feature_std = kUnknown;
  double effective_rank = kUnknown;  // of the backbone's features
  // Share of the pairs (11,21) (11,22) (12,21) (12,22); all 0 with
  // --selection=none, which chooses none of them.
  std::array<double, 4> pair_share = {};
  double lr = kUnknown;  // of the epoch's last step
  double images_per_second = kUnknown;
  double seconds = kUnknown;
};

// Whether pairs were chosen at all.
inline bool ChosePairs(const EpochRecord& record) {
  for (const double share : record.pair_share) {
    if (share > 0) return true;
  }
  return false;
}

// Percentages from frozen features, on the test images where there are labels.
struct Scores {
  double knn_top1 = kUnknown;
  double linear_top1 = kUnknown;
  // Without labels: ViewRetrieval (trainers/evaluate/view_retrieval.h).
  double view_top1 = kUnknown;
};

// visit(key, value) for each field, under its name in files.
template <class Record, class Visitor>
void VisitRecord(Record& record, Visitor&& visit) {
  visit("epoch", record.epoch);
  visit("step", record.step);
  visit("loss", record.loss);
  visit("knn_top1", record.knn_top1);
  visit("feature_std", record.feature_std);
  visit("effective_rank", record.effective_rank);
  visit("pair_share", record.pair_share);
  visit("lr", record.lr);
  visit("images_per_second", record.images_per_second);
  visit("seconds", record.seconds);
}

template <class ScoresType, class Visitor>
void VisitScores(ScoresType& scores, Visitor&& visit) {
  visit("knn_top1", scores.knn_top1);
  visit("linear_top1", scores.linear_top1);
  visit("view_top1", scores.view_top1);
}

}  // namespace gsg

#endif  // GSG_TRAINERS_RUN_EPOCH_RECORD_H_

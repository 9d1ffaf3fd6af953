#include "trainers/study/metric.h"

#include <vector>

#include "absl/strings/string_view.h"
#include "trainers/run/epoch_record.h"
#include "trainers/run/read_run.h"

namespace gsg {
namespace {

template <double EpochRecord::*field>
double OfLastEpoch(const RunSummary& run) {
  return run.epochs.empty() ? kUnknown : run.epochs.back().*field;
}

double Minutes(const RunSummary& run) {
  double seconds = 0;
  for (const EpochRecord& record : run.epochs) seconds += record.seconds;
  return seconds / 60;
}

}  // namespace

const std::vector<Metric>& Metrics() {
  static const auto* const metrics = new std::vector<Metric>{
      {"knn_top1", "k-NN %", 2,
       [](const RunSummary& run) { return run.trained.knn_top1; }},
      {"linear_top1", "linear %", 2,
       [](const RunSummary& run) { return run.trained.linear_top1; }},
      {"loss", "loss", 4, OfLastEpoch<&EpochRecord::loss>},
      {"feature_std", "std", 3, OfLastEpoch<&EpochRecord::feature_std>},
      {"effective_rank", "rank", 1, OfLastEpoch<&EpochRecord::effective_rank>},
      {"minutes", "minutes", 1, Minutes},
  };
  return *metrics;
}

const Metric* FindMetric(absl::string_view name) {
  for (const Metric& metric : Metrics()) {
    if (metric.name == name) return &metric;
  }
  return nullptr;
}

}  // namespace gsg

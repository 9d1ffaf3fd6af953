#include "trainers/evaluate/scores.h"

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "trainers/config/config.h"
#include "trainers/evaluate/features.h"
#include "trainers/evaluate/knn.h"
#include "trainers/evaluate/linear_probe.h"
#include "trainers/image/dataset.h"
#include "trainers/run/run_state.h"

namespace gsg {
namespace {

absl::Status Naming(const std::string& what, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat("evaluating the ", what, ": ",
                                                  status.message()));
}

}  // namespace

absl::StatusOr<Scores> MeasureScores(const std::string& what,
                                     const FeaturePair& features,
                                     const Dataset& dataset,
                                     const Config& config) {
  const Features& train = features.train;
  const Features& test = features.test;
  const int64_t classes = dataset.classes.size();
  Scores scores;
  absl::StatusOr<double> knn =
      KnnTop1(train.rows, train.labels, test.rows, test.labels, classes,
              {config.knn_k, config.knn_temperature});
  if (!knn.ok()) return Naming(what, knn.status());
  scores.knn_top1 = *knn;
  if (config.linear_probe) {
    absl::StatusOr<LinearProbeResult> probe =
        LinearProbe(train.rows, train.labels, test.rows, test.labels, classes);
    if (!probe.ok()) return Naming(what, probe.status());
    scores.linear_top1 = probe->test.top1;
  }
  return scores;
}

}  // namespace gsg

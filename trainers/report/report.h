#ifndef GSG_TRAINERS_REPORT_REPORT_H_
#define GSG_TRAINERS_REPORT_REPORT_H_

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trainers/report/picture.h"
#include "trainers/report/scatter.h"

namespace gsg {

// NaN stands for "not measured" in every number of a report: the page leaves
// the point, the cell or the whole chart out.
inline constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

// One epoch of pretraining. Percentages are 0..100.
struct EpochPoint {
  int64_t epoch = 0;  // 1 is the first
  double loss = kNotMeasured;
  double knn_top1 = kNotMeasured;     // percent
  double feature_std = kNotMeasured;  // 1 spread, 0 collapsed
  double effective_rank = kNotMeasured;
  double lr = kNotMeasured;
  double images_per_second = kNotMeasured;
  // How often each cross-image pair was the closest, in the order (11,21)
  // (11,22) (12,21) (12,22); fractions of 1.
  std::array<double, 4> pair_share = {kNotMeasured, kNotMeasured, kNotMeasured,
                                      kNotMeasured};
};

// A row of the comparison: a name and how well its features classify.
struct Score {
  std::string name;
  double knn_top1 = kNotMeasured;     // percent
  double linear_top1 = kNotMeasured;  // percent
};

struct LabeledPicture {
  Picture picture;
  int64_t label = 0;  // index into ReportData::classes
};

// A test image and its nearest training images, nearest first.
struct NeighborRow {
  LabeledPicture query;
  std::vector<LabeledPicture> neighbors;
};

// What a run has to show. Every vector may be empty; its section is left out.
struct ReportData {
  std::string title;  // e.g. "GSG on Fashion-MNIST"
  Score trained;      // the subject of the headline
  // What it is measured against, e.g. raw pixels and the untrained network.
  std::vector<Score> baselines;
  std::vector<EpochPoint> epochs;  // in order
  std::vector<NeighborRow> neighbors;
  // Test images on the two-dimensional map of the features.
  std::vector<MapPoint> map;
  std::vector<std::string> classes;  // names, by label
  // Facts of the run (images, device, time) and its settings, as shown.
  std::vector<std::pair<std::string, std::string>> summary;
  std::vector<std::pair<std::string, std::string>> config;
};

// One HTML page that needs nothing else: no script, no network, pictures and
// charts inline. Text is escaped. kInvalidArgument if a label has no class or
// a picture is malformed.
absl::StatusOr<std::string> RenderReport(const ReportData& data);

// Renders to `path`. The page is written beside it and renamed, so that a
// reader never sees half of one. Also kNotFound, kPermissionDenied etc. when
// the file cannot be written.
absl::Status WriteReport(const std::string& path, const ReportData& data);

}  // namespace gsg

#endif  // GSG_TRAINERS_REPORT_REPORT_H_

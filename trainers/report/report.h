#ifndef GSG_TRAINERS_REPORT_REPORT_H_
#define GSG_TRAINERS_REPORT_REPORT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trainers/report/picture.h"
#include "trainers/report/scatter.h"
#include "trainers/run/epoch_record.h"

namespace gsg {

// A row of the comparison: a name and how well its features classify.
struct Score {
  std::string name;
  double knn_top1 = kUnknown;     // percent
  double linear_top1 = kUnknown;  // percent
};

struct LabeledPicture {
  Picture picture;
  int64_t label = 0;      // index into ReportData::classes
  std::string name = {};  // of the file, with its folders; may be empty
};

// A test image and its nearest training images, nearest first.
struct NeighborRow {
  LabeledPicture query;
  std::vector<LabeledPicture> neighbors;
};

// What a run has to show. Every vector may be empty; its section is left out.
// So is the point, the cell or the whole chart of numbers that are unknown.
struct ReportData {
  std::string title;  // e.g. "runs/gsg: GSG on Fashion-MNIST"
  // What to know first, in plain words: paragraphs, and commands to go on with,
  // a line each.
  std::vector<std::string> words;
  std::string commands;
  std::string after_commands;  // a paragraph more
  Score trained;               // the subject of the headline
  // What it is measured against, e.g. raw pixels and the untrained network.
  std::vector<Score> baselines;
  std::vector<EpochRecord> epochs;  // in order
  std::vector<NeighborRow> neighbors;
  // Test images on the two-dimensional map of the features.
  std::vector<MapPoint> map;
  std::vector<std::string> classes;  // names, by label
  // The classes are clusters of the features, for the images have no labels.
  bool clustered = false;
  // What the k-NN of `epochs` is measured on, if not on all images, e.g. "2,000
  // of the test images".
  std::string watched;
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

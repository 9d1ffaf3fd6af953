// The folder a run lives in.

#ifndef GSG_TRAINERS_RUN_RUN_DIRECTORY_H_
#define GSG_TRAINERS_RUN_RUN_DIRECTORY_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "trainers/config/config.h"

namespace gsg {

inline constexpr char kConfigFile[] = "config.json";
inline constexpr char kMetricsFile[] = "metrics.jsonl";
inline constexpr char kResultFile[] = "result.json";
inline constexpr char kReportFile[] = "report.html";
inline constexpr char kEvaluationFile[] = "evaluation.json";  // by evaluate

// Creates the folder unless it is there. Errors: the file system's, naming it.
absl::Status MakeRunDirectory(const std::string& folder);

// Makes config.output_dir, which is there, ready: with config.overwrite removes
// the files of the run that is in it. Errors: kAlreadyExists if there is a run
// and neither --resume nor
// --overwrite was given; the file system's, naming the folder.
absl::Status PrepareRunDirectory(const Config& config);

// The paths of all checkpoints in a run's folder, sorted; none if there is no
// such folder.
std::vector<std::string> CheckpointFiles(const std::string& folder);

}  // namespace gsg

#endif  // GSG_TRAINERS_RUN_RUN_DIRECTORY_H_

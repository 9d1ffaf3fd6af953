// What a finished run leaves: result.json, report.html and a table to read.

#ifndef GSG_TRAINERS_REPORT_RUN_REPORT_H_
#define GSG_TRAINERS_REPORT_RUN_REPORT_H_

#include <string>

#include "absl/status/status.h"
#include "trainers/config/config.h"
#include "trainers/evaluate/scores.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/dataset.h"
#include "trainers/run/run_state.h"

namespace gsg {

// The three feature sets side by side, for a terminal.
std::string ScoreTable(const Config& config, const RunState& state,
                       const Scores& trained);

// Writes result.json (the scores) and report.html into config.output_dir.
// `features` are the trained network's: neighbors and map are made from them.
// `damaged` are the images that the run could not read.
// Errors: the file system's.
absl::Status WriteResult(const Config& config, const Dataset& dataset,
                         const RunState& state, const Scores& trained,
                         const FeaturePair& features,
                         const DamagedImages& damaged);

}  // namespace gsg

#endif  // GSG_TRAINERS_REPORT_RUN_REPORT_H_

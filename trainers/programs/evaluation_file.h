// The file that evaluate writes, unless it is told another.

#ifndef GSG_TRAINERS_PROGRAMS_EVALUATION_FILE_H_
#define GSG_TRAINERS_PROGRAMS_EVALUATION_FILE_H_

#include <string>

#include "trainers/base/json.h"
#include "trainers/config/config.h"
#include "trainers/image/dataset.h"

namespace gsg {

// Images that were evaluated on.
struct EvaluatedImages {
  std::string dataset;
  DataPlace place;  // absolute paths
};

// "folder /photos", or the name of the data set.
std::string NameOf(const EvaluatedImages& images);

// Adds to a file of scores what they are of: "dataset", "data_dir" and
// "data_list", as far as known.
void AddImages(const EvaluatedImages& images, Json* json);

// In `folder`, that of the run: evaluation.json for the images that it learned
// from, evaluation-<data set>.json for others, and for another folder, since
// all folders are one data set by name, evaluation-<last part of its
// path>.json. With -2, -3, ... before .json where that has the scores of other
// images (AddImages), which are not to be lost.
std::string EvaluationPath(const std::string& folder, const Config& run,
                           const EvaluatedImages& images);

}  // namespace gsg

#endif  // GSG_TRAINERS_PROGRAMS_EVALUATION_FILE_H_

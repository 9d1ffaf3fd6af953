// Identifies runs by their configuration.

#ifndef GSG_TRAINERS_STUDY_RUN_KEY_H_
#define GSG_TRAINERS_STUDY_RUN_KEY_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trainers/config/config.h"

namespace gsg {

// Eight hex digits of all that determines a run's result except its seed.
// Folders, speed (threads, device, loader_threads) and the recipe's name do not
// count. Fields with Config's default and fields without effect do not count
// either, so that a field which a later version adds does not change the keys
// of older runs.
std::string RunKey(const Config& config);

// The config of a run that is there, from its config.json. A field that an
// older version did not write has its default.
// Errors: kInvalidArgument if the text is not a config, or has a field that
// this version does not know.
absl::StatusOr<Config> ReadRunConfig(absl::string_view text);

}  // namespace gsg

#endif  // GSG_TRAINERS_STUDY_RUN_KEY_H_

// Which runs are the same run.

#ifndef GSG_TRAINERS_STUDY_RUN_KEY_H_
#define GSG_TRAINERS_STUDY_RUN_KEY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trainers/config/config.h"

namespace gsg {

// Eight hex digits for all that decides a run but its seed: not where it lies,
// how fast it goes (threads, device, loader_threads) or what its recipe is
// called. A field that has Config's default does not count, nor does one
// without effect beside the others, so that fields which a later version adds
// leave the key of older runs alone.
std::string RunKey(const Config& config);

// The fields, of those that decide a run and "seed", in which two configs
// differ.
std::vector<std::string> DecidingDifferences(const Config& a, const Config& b);

// The config of a run that is there, from its config.json. A field that an
// older version did not write has its default.
// Errors: kInvalidArgument if the text is not a config, or has a field that
// this version does not know.
absl::StatusOr<Config> ReadRunConfig(absl::string_view text);

}  // namespace gsg

#endif  // GSG_TRAINERS_STUDY_RUN_KEY_H_

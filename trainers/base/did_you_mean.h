#ifndef GSG_TRAINERS_BASE_DID_YOU_MEAN_H_
#define GSG_TRAINERS_BASE_DID_YOU_MEAN_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace gsg {

// The name that a user who typed `text` most likely meant: the one the fewest
// edits away (insert, delete, replace or swap neighbors; letter case and
// - for _ are free) if those are no more than a third of the text, else the
// shortest that contains the text. "" if there is none; ties go to the first.
absl::string_view Nearest(absl::string_view text,
                          const std::vector<absl::string_view>& names);

// "did you mean <prefix><nearest>? ", or "" if no name is near.
std::string DidYouMean(absl::string_view text,
                       const std::vector<absl::string_view>& names,
                       absl::string_view prefix = "");

}  // namespace gsg

#endif  // GSG_TRAINERS_BASE_DID_YOU_MEAN_H_

#ifndef GSG_TRAINERS_IMAGE_UNICODE_FORM_H_
#define GSG_TRAINERS_IMAGE_UNICODE_FORM_H_

#include <string>

#include "absl/strings/string_view.h"

namespace gsg {

// `name` in UTF-8 with its characters taken apart (Unicode's canonical
// decomposition, NFD), so that the same name from a Mac, which stores an e and
// an accent, and from Linux or Windows, where it is one character, is equal. A
// name that is not UTF-8 stays as it is.
std::string Decomposed(absl::string_view name);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_UNICODE_FORM_H_

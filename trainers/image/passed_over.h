#ifndef GSG_TRAINERS_IMAGE_PASSED_OVER_H_
#define GSG_TRAINERS_IMAGE_PASSED_OVER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "trainers/image/folder_scan.h"

namespace gsg {

// "1 file", "2 files".
std::string Plural(int64_t count, absl::string_view noun);

// ".xcf 80, .txt 20" of the files of other formats: the most frequent first.
std::string FormatsIn(const Findings& findings);

// What to do if HEIC or AVIF files were passed over for want of libheif, as a
// sentence behind a full stop, or "".
std::string HeifAdvice(const Findings& findings);

// "2 sheets of thumbnails that explore wrote".
std::string SheetsIn(const Findings& findings);

// A line for each kind of what was passed over.
std::vector<std::string> NotesOn(const Findings& findings);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_PASSED_OVER_H_

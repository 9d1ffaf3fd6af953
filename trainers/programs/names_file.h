// The list of names beside an array of features: one a line, whatever they are
// and whatever reads them.

#ifndef GSG_TRAINERS_PROGRAMS_NAMES_FILE_H_
#define GSG_TRAINERS_PROGRAMS_NAMES_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace gsg {

// A name as its line has it: "\" is "\\", a line feed "\n", a carriage return,
// which Python takes for the end of a line too, "\r".
std::string NameLine(absl::string_view name);

// The name that a line stands for.
std::string LineName(absl::string_view line);

// photos.npy -> photos<extension>. `path` ends in .npy.
std::string BesideNpy(absl::string_view path, absl::string_view extension);

// The names in the file `path`, which must have `count` of them.
// Errors: kNotFound if there is no such file; kInvalidArgument, with both
// numbers, if there are more or fewer.
absl::StatusOr<std::vector<std::string>> ReadNames(const std::string& path,
                                                   int64_t count);

}  // namespace gsg

#endif  // GSG_TRAINERS_PROGRAMS_NAMES_FILE_H_

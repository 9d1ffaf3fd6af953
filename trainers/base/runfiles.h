#ifndef GSG_TRAINERS_BASE_RUNFILES_H_
#define GSG_TRAINERS_BASE_RUNFILES_H_

#include <string>

namespace gsg {

// Where the runfile called `path` ("gsg/trainers/simsiam") lies: a data
// dependency that Bazel laid beside this program. A file rather than a folder,
// since a runfiles manifest lists files only. Looks where RUNFILES_DIR,
// JAVA_RUNFILES or TEST_SRCDIR say, then beside the executable. "" if it is
// nowhere, as after copying the program elsewhere.
std::string FindRunfile(const std::string& path);

// The executable itself, as the kernel knows it.
std::string ThisExecutable();

}  // namespace gsg

#endif  // GSG_TRAINERS_BASE_RUNFILES_H_

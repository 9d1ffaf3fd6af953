#ifndef GSG_TRAINERS_BASE_PATH_LIST_H_
#define GSG_TRAINERS_BASE_PATH_LIST_H_

#include <string>
#include <vector>

namespace gsg {

// The paths in a value with commas between them. A value that is the name of
// something that exists, or has an empty part, is one path whatever its commas.
std::vector<std::string> SplitPaths(const std::string& value);

}  // namespace gsg

#endif  // GSG_TRAINERS_BASE_PATH_LIST_H_

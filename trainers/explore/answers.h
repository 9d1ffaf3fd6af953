#ifndef GSG_TRAINERS_EXPLORE_ANSWERS_H_
#define GSG_TRAINERS_EXPLORE_ANSWERS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "trainers/explore/clusters.h"
#include "trainers/explore/duplicates.h"
#include "trainers/explore/labels.h"
#include "trainers/explore/neighbors.h"
#include "trainers/explore/outliers.h"

namespace gsg {

// How a member of a group of duplicates compares with the group's first, pixel
// by pixel.
enum class Copy : uint8_t { kFirst, kExact, kNear, kTurned, kUnknown };

// All that was found out about n images.
struct Answers {
  std::vector<std::string> names;  // [n] paths below the folder of images
  Neighbors neighbors;
  double threshold = 0;  // of duplicates
  std::vector<DuplicateGroup> duplicates;
  std::vector<std::vector<Copy>> copies;  // as duplicates[g].members
  Outliers outliers;
  Clusters clusters;
  ClassFolders folders;  // empty without class folders
  SuspiciousLabels labels;
  std::vector<std::array<float, 2>> map;  // [n]

  // [n] the number of each image's group of duplicates, or -1.
  std::vector<int32_t> Groups() const {
    std::vector<int32_t> groups(names.size(), -1);
    for (size_t g = 0; g < duplicates.size(); ++g) {
      for (const DuplicateGroup::Member& member : duplicates[g].members) {
        groups[member.index] = static_cast<int32_t>(g);
      }
    }
    return groups;
  }
};

}  // namespace gsg

#endif  // GSG_TRAINERS_EXPLORE_ANSWERS_H_

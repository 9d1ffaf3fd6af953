#ifndef GSG_TRAINERS_EXPLORE_LABELS_H_
#define GSG_TRAINERS_EXPLORE_LABELS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trainers/explore/neighbors.h"

namespace gsg {

// What the folders of images say they are.
struct ClassFolders {
  std::vector<std::string> names;  // in the order of the names; may be empty
  std::vector<int32_t> labels;     // [n] index into names; empty without them
};

// The class folders among the paths of images: the first folder of each path,
// after those that are called train, val, test or the like (SplitOf). Of paths
// in tar archives, behind the archive and what all images lie in there:
// "a.tar/photos/train/cat/1.jpg" is a cat. None if an image is in no such
// folder, if there is only one, or, unless `any_size`, if the folders hold
// fewer than 5 images in the middle (median): then they are hardly classes.
ClassFolders FindClassFolders(absl::Span<const std::string> paths,
                              bool any_size = false);

// What an image's neighbors say about its label. Each of the k nearest votes
// for its own label with weight exp((cosine - 1) / 0.1).
struct LabelVote {
  int64_t index = 0;
  int32_t label = 0;      // its folder's
  int32_t suggested = 0;  // the label with most weight among the others
  // Shares of the weight, 0 .. 1.
  double own = 0;
  double other = 0;  // of `suggested`
};

struct SuspiciousLabels {
  // `other` > `own`, most certain first: by the odds of the two, each with a
  // fiftieth added, for a share of 0 is not known that well.
  std::vector<LabelVote> wrong;
  // Among the rest, those with other > own / 2, nearest to the border first.
  std::vector<LabelVote> border;
};

// labels: [n], each >= 0.
// An exact copy's vote would outweigh all others; each group of copies votes
// once: group: [n] the number of the group of copies that an image is in, -1
// for none. Copies of the image itself have no vote.
// Errors: kInvalidArgument if sizes differ from neighbors.n.
absl::StatusOr<SuspiciousLabels> FindSuspiciousLabels(
    const Neighbors& neighbors, absl::Span<const int32_t> labels,
    absl::Span<const int32_t> group);

}  // namespace gsg

#endif  // GSG_TRAINERS_EXPLORE_LABELS_H_

#ifndef GSG_TRAINERS_EXPLORE_DUPLICATES_H_
#define GSG_TRAINERS_EXPLORE_DUPLICATES_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "trainers/explore/features.h"
#include "trainers/explore/neighbors.h"

namespace gsg {

// A cosine that splits copies of a picture from pictures that are merely alike.
//
// Look at -log(1 - cosine) of each image and its nearest one: for different
// pictures that is a hill. The threshold lies `deviations` standard deviations
// above its middle (median, and the median absolute deviation times 1.4826,
// which copies do not move as long as they are fewer than half), and in
// 0.8 .. 0.9999. Images that agree to rounding are left out of the hill, for
// they are copies wherever it lies.
double DuplicateThreshold(const Neighbors& neighbors, double deviations);

// Images that are the same picture.
struct DuplicateGroup {
  struct Member {
    int64_t index = 0;
    float cosine = 1;  // to the group's first
  };
  std::vector<Member> members;  // at least 2; the first image first, then by
                                // descending cosine
};

// Pairs that may be copies: an image and those of its nearest ones that have at
// least this cosine, by features or by anything else of which there are rows.
struct ProposedPairs {
  const Neighbors* neighbors;
  double threshold;
};

// Groups of images with a cosine of at least `least` (of `rows`) to the group's
// first. Begins with image 0 and takes for each image that is in no group yet
// those that can be reached from it over proposed pairs. No chain makes a group
// of two that are unlike: each member is asked about with the first itself.
// proposed: each of as many images as there are rows.
// may_join: a last word, e.g. by the pictures' looks; asked with the group's
// first and the candidate.
std::vector<DuplicateGroup> FindDuplicates(
    const UnitRows& rows, absl::Span<const ProposedPairs> proposed,
    double least,
    absl::FunctionRef<bool(int64_t first, int64_t candidate)> may_join);

// How many images have their nearest neighbor at which cosine, by powers of
// ten of 1 - cosine, for what matters lies next to 1: bin b of `bins` has
// -log10(1 - cosine) from b / bins * decades on; the last bin also has what is
// nearer, the first what is farther.
std::vector<int64_t> NearestHistogram(const Neighbors& neighbors, int bins,
                                      double decades);

}  // namespace gsg

#endif  // GSG_TRAINERS_EXPLORE_DUPLICATES_H_

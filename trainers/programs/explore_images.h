// What explore takes from the images themselves: thumbnails, and whether two
// have the same pixels.

#ifndef GSG_TRAINERS_PROGRAMS_EXPLORE_IMAGES_H_
#define GSG_TRAINERS_PROGRAMS_EXPLORE_IMAGES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gsg_core/executor.h"
#include "trainers/explore/answers.h"
#include "trainers/explore/duplicates.h"
#include "trainers/explore/features.h"
#include "trainers/explore/looks.h"
#include "trainers/image/file_source.h"

namespace gsg {

// Where each of `names` is in `source`; -1: it is not there.
std::vector<int64_t> PlacesIn(const FileSource& source,
                              absl::Span<const std::string> names);

// What the images look like, [n]; what cannot be read is not known.
// Errors: kCancelled by `watch`, which is told images; a MemoryError.
absl::StatusOr<std::vector<Looks>> LooksOfImages(
    const FileSource& source, absl::Span<const int64_t> places, int threads,
    Watch watch);

// Compares the members of each group with its first: kExact if the decoded
// pixels, turned as EXIF says, are the same, by size and a hash of 64 bits;
// kTurned if they look alike (looks) in another orientation only; kUnknown
// where one of the two cannot be read. places: PlacesIn. Errors: a MemoryError.
absl::StatusOr<std::vector<std::vector<Copy>>> CompareCopies(
    const std::vector<DuplicateGroup>& groups, const FileSource& source,
    absl::Span<const int64_t> places, absl::Span<const Looks> looks,
    Executor& executor);

// Writes thumbnails of `side` pixels in the order `order` (of image numbers) to
// sheets in output/sheets, and returns their paths below `output`. A sheet's
// name stands for what is on it: those that are there already are not made
// again, and others in that folder are removed. An image that cannot be read
// gets a gray square.
// Errors: kCancelled by `watch`, which is told images; the file system's.
absl::StatusOr<std::vector<std::string>> WriteSheets(
    const FileSource& source, absl::Span<const int64_t> places,
    absl::Span<const int32_t> order, int side, int threads,
    const std::string& output, Watch watch);

}  // namespace gsg

#endif  // GSG_TRAINERS_PROGRAMS_EXPLORE_IMAGES_H_

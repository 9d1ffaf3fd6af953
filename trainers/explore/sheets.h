#ifndef GSG_TRAINERS_EXPLORE_SHEETS_H_
#define GSG_TRAINERS_EXPLORE_SHEETS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trainers/explore/answers.h"

namespace gsg {

// Thumbnails lie together in sheets, a file each, that the page loads when it
// shows one of them.
inline constexpr int kSheetColumns = 16;
inline constexpr int kThumbnailsPerSheet = kSheetColumns * kSheetColumns;

// Which image is in which place: [n] image numbers. Images that are shown
// together lie together: by cluster, and in it by the place on the map, so that
// a gallery takes few sheets.
std::vector<int32_t> SheetOrder(const Answers& answers);

// A picture of kSheetColumns * side pixels a side, RGB, rows from the top.
class Sheet {
 public:
  explicit Sheet(int side);

  // [channels, side, side] values in 0 .. 1: the first three are shown as
  // colors, of fewer the first as gray.
  void Set(int place, absl::Span<const float> planes);

  // As a JPEG file. Errors: kInternal, with the encoder's words.
  absl::StatusOr<std::string> Encode() const;

 private:
  const int side_;
  std::vector<uint8_t> pixels_;
};

// An RGB picture as a JPEG file of quality 80.
absl::StatusOr<std::string> EncodeJpegFile(absl::Span<const uint8_t> rgb,
                                           int width, int height);

}  // namespace gsg

#endif  // GSG_TRAINERS_EXPLORE_SHEETS_H_

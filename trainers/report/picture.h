#ifndef GSG_TRAINERS_REPORT_PICTURE_H_
#define GSG_TRAINERS_REPORT_PICTURE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace gsg {

// A small image: rows from the top, `channels` bytes a pixel (1 gray, 3 RGB).
struct Picture {
  int width = 0;
  int height = 0;
  int channels = 0;
  std::vector<uint8_t> pixels;  // height * width * channels
};

// The picture as a PNG file. kInvalidArgument if a dimension is not positive,
// channels is neither 1 nor 3, or the number of pixels does not fit.
absl::StatusOr<std::string> EncodePng(const Picture& picture);

// "data:image/png;base64,...", to use as an <img> source. Errors as above.
absl::StatusOr<std::string> PngDataUri(const Picture& picture);

}  // namespace gsg

#endif  // GSG_TRAINERS_REPORT_PICTURE_H_

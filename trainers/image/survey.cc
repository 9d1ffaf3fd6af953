#include "trainers/image/survey.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trainers/image/image.h"
#include "trainers/image/image_source.h"

namespace gsg {
namespace {

// Codecs of color write nearly gray pixels for gray scenes; a pixel has color
// from this difference between its channels on.
constexpr int kColor = 8;

bool HasColor(const Image& image) {
  if (image.channels != 3) return false;
  const size_t plane = static_cast<size_t>(image.height) * image.width;
  const uint8_t* const red = image.chw;
  for (size_t i = 0; i < plane; ++i) {
    const int values[] = {red[i], red[plane + i], red[2 * plane + i]};
    const auto [low, high] = std::minmax({values[0], values[1], values[2]});
    if (high - low >= kColor) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<Survey> SurveyImages(const ImageSource& source) {
  constexpr int64_t kSample = 200;
  Survey survey;
  survey.images = source.size();
  survey.gray = true;
  const int64_t count = std::min(kSample, source.size());
  const std::unique_ptr<ImageReader> reader = source.MakeReader();
  std::vector<int64_t> sides;
  absl::Status first = absl::DataLossError("there are no images");
  for (int64_t i = 0; i < count; ++i) {
    absl::StatusOr<ImageSize> size = reader->Open(i * source.size() / count);
    absl::StatusOr<Image> image =
        size.ok() ? reader->Decode(8) : absl::StatusOr<Image>(size.status());
    if (!image.ok()) {
      if (i == 0) first = image.status();
      continue;
    }
    sides.push_back(std::min(size->height, size->width));
    if (HasColor(*image)) survey.gray = false;
  }
  if (sides.empty()) return first;
  survey.sampled = static_cast<int64_t>(sides.size());
  const auto middle = sides.begin() + sides.size() / 2;
  std::nth_element(sides.begin(), middle, sides.end());
  survey.side = *middle;
  return survey;
}

}  // namespace gsg

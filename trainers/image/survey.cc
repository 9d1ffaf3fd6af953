#include "trainers/image/survey.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gsg_core/status_macros.h"
#include "trainers/image/image.h"
#include "trainers/image/image_source.h"

namespace gsg {
namespace {

// Codecs of color write nearly gray pixels for gray scenes; a pixel has color
// from this difference between its channels, of 255, on.
constexpr int kColor = 8;

template <class T>
bool HasColor(const T* red, size_t plane) {
  constexpr int kUnit = sizeof(T) == 1 ? 1 : 257;
  for (size_t i = 0; i < plane; ++i) {
    const int values[] = {red[i], red[plane + i], red[2 * plane + i]};
    const auto [low, high] = std::minmax({values[0], values[1], values[2]});
    if (high - low >= kColor * kUnit) return true;
  }
  return false;
}

bool HasColor(const Image& image) {
  if (image.channels != 3) return false;
  const size_t plane = static_cast<size_t>(image.height) * image.width;
  return image.chw16 != nullptr ? HasColor(image.chw16, plane)
                                : HasColor(image.chw, plane);
}

}  // namespace

absl::Status VisitSample(const ImageSource& source, int64_t count,
                         int reduction,
                         const std::function<void(const ImageSize& size,
                                                  const Image& image)>& visit) {
  count = std::min(count, source.size());
  const std::unique_ptr<ImageReader> reader = source.MakeReader();
  bool any = false;
  absl::Status first = absl::DataLossError("there are no images");
  for (int64_t i = 0; i < count; ++i) {
    const absl::StatusOr<ImageSize> size =
        reader->Open(i * source.size() / count);
    const absl::StatusOr<Image> image =
        size.ok() ? reader->Decode(reduction) : size.status();
    if (image.ok()) {
      any = true;
      visit(*size, *image);
    } else if (i == 0) {
      first = absl::Status(
          image.status().code(),
          absl::StrCat(
              "none of the images that were looked at can be read, the "
              "first of them ",
              source.name(0), ": ", image.status().message()));
    }
  }
  return any ? absl::OkStatus() : first;
}

absl::StatusOr<Survey> SurveyImages(const ImageSource& source) {
  constexpr int64_t kSample = 200;
  Survey survey;
  survey.images = source.size();
  survey.gray = true;
  std::vector<int64_t> sides;
  GSG_RETURN_IF_ERROR(
      VisitSample(source, kSample, /*reduction=*/8,
                  [&](const ImageSize& size, const Image& image) {
                    sides.push_back(std::min(size.height, size.width));
                    if (HasColor(image)) survey.gray = false;
                    if (image.chw16 != nullptr) survey.wide = true;
                  }));
  survey.sampled = static_cast<int64_t>(sides.size());
  const auto middle = sides.begin() + sides.size() / 2;
  std::nth_element(sides.begin(), middle, sides.end());
  survey.side = *middle;
  return survey;
}

}  // namespace gsg

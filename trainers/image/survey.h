#ifndef GSG_TRAINERS_IMAGE_SURVEY_H_
#define GSG_TRAINERS_IMAGE_SURVEY_H_

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trainers/image/image.h"
#include "trainers/image/image_source.h"

namespace gsg {

// What a set of images is like, by a sample of them.
struct Survey {
  int64_t images = 0;   // of the set
  int64_t sampled = 0;  // that could be read
  int64_t side = 0;     // median of their shorter sides, in pixels
  bool gray = false;    // has none of them any color?
  bool wide = false;    // has any of them 16 bits?
};

// Calls visit(size, image) for up to `count` images, evenly spaced, decoded at
// 1 / reduction where that saves work. size: the full one. Those that cannot be
// read are left out. Errors: if that is all of them, with what is wrong with
// the first.
absl::Status VisitSample(const ImageSource& source, int64_t count,
                         int reduction,
                         const std::function<void(const ImageSize& size,
                                                  const Image& image)>& visit);

// Looks at a sample of 200 images. Those that cannot be read are left
// out. Errors: kDataLoss if that is all of them, with what is wrong with the
// first.
absl::StatusOr<Survey> SurveyImages(const ImageSource& source);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_SURVEY_H_

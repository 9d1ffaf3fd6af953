// Two IDX files: the input's first byte tells how many of its next bytes, in
// sixteenths of the rest, are the images; what remains is the labels.

#include "trainers/image/idx.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "tests/trainers/fuzz/check.h"
#include "tests/trainers/fuzz/temporary_file.h"
#include "trainers/image/image_set.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t rest = size - 1;
  const size_t images = std::min<size_t>(rest, rest * data[0] / 16);
  const gsg::TemporaryFile image_file(data + 1, images);
  const gsg::TemporaryFile label_file(data + 1 + images, rest - images);
  const absl::StatusOr<gsg::ImageSet> set =
      gsg::ReadIdx(image_file.path(), label_file.path(), 10);
  if (!set.ok()) return 0;
  GSG_FUZZ_CHECK(set->pixels.size() ==
                 static_cast<size_t>(set->count) * set->height * set->width);
  GSG_FUZZ_CHECK(set->labels.size() == static_cast<size_t>(set->count));
  for (const int32_t label : set->labels) {
    GSG_FUZZ_CHECK(label >= 0 && label < 10);
  }
  return 0;
}

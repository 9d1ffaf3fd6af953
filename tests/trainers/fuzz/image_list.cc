// A list of images. That the first one does not exist is found behind all
// parsing.

#include "trainers/image/image_list.h"

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "tests/trainers/fuzz/check.h"
#include "tests/trainers/fuzz/temporary_file.h"
#include "trainers/image/images.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const gsg::TemporaryFile file(data, size);
  const absl::StatusOr<gsg::Images> images = gsg::ReadImageList(file.path(), 3);
  if (!images.ok()) return 0;
  const auto classes = static_cast<int32_t>(images->classes.size());
  GSG_FUZZ_CHECK((images->test != nullptr) == (classes > 0));
  for (const int32_t label : images->train->labels()) {
    GSG_FUZZ_CHECK(label >= 0 && label < classes);
  }
  return 0;
}

// A file of CIFAR-10 or, if the input's first byte is odd, CIFAR-100, and the
// same bytes as a file of class names. The second byte is the content beyond
// the rest: so many times 3073 or 3074 bytes in all, so that whole records are
// not left to luck.

#include "trainers/image/cifar.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/trainers/fuzz/check.h"
#include "tests/trainers/fuzz/temporary_file.h"
#include "trainers/image/image_set.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const bool fine = data[0] % 2 == 1;
  std::vector<uint8_t> bytes(data + 2, data + size);
  if (data[1] > 0) {
    bytes.resize((data[1] % 4) * (fine ? 3074 : 3073), bytes.size() % 10);
  }
  const gsg::TemporaryFile file(bytes.data(), bytes.size());
  const std::vector<int> ranges =
      fine ? std::vector<int>{20, 100} : std::vector<int>{10};
  const absl::StatusOr<gsg::ImageSet> set =
      gsg::ReadCifar({file.path()}, ranges);
  if (set.ok()) {
    GSG_FUZZ_CHECK(set->pixels.size() == set->labels.size() * 3072);
    for (const int32_t label : set->labels) {
      GSG_FUZZ_CHECK(label >= 0 && label < ranges.back());
    }
  }
  const absl::StatusOr<std::vector<std::string>> names =
      gsg::ReadClassNames(file.path(), 3);
  GSG_FUZZ_CHECK(!names.ok() || names->size() == 3);
  return 0;
}

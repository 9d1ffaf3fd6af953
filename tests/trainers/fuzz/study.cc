// A study file.

#include "trainers/study/study.h"

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/trainers/fuzz/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::StatusOr<gsg::Study> study = gsg::ParseStudy(
      absl::string_view(reinterpret_cast<const char*>(data), size));
  GSG_FUZZ_CHECK(!study.ok() || !study->arms.empty());
  return 0;
}

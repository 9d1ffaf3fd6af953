// The seal around a checkpoint.

#include "trainers/base/sealed_file.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/trainers/fuzz/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<std::string> opened = gsg::Unseal(bytes, "file");
  GSG_FUZZ_CHECK(!opened.ok() || opened->size() < size);
  const absl::StatusOr<std::string> sealed = gsg::Seal(bytes);
  if (!sealed.ok()) return 0;
  const absl::StatusOr<std::string> back = gsg::Unseal(*sealed, "file");
  GSG_FUZZ_CHECK(back.ok() && *back == bytes);
  return 0;
}

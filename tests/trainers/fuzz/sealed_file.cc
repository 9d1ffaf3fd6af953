// The seal around a checkpoint.

#include "trainers/base/sealed_file.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/trainers/fuzz/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  std::string changed = bytes;
  const bool opened = gsg::Unseal(changed, "file").ok();
  GSG_FUZZ_CHECK(opened ? changed.size() < size : changed == bytes);
  changed = bytes;
  if (!gsg::Seal(changed).ok()) {
    GSG_FUZZ_CHECK(changed == bytes);
    return 0;
  }
  GSG_FUZZ_CHECK(gsg::Unseal(changed, "file").ok() && changed == bytes);
  return 0;
}

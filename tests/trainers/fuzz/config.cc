// A config.json, whole and laid over another.

#include "trainers/config/config.h"

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/trainers/fuzz/check.h"
#include "trainers/config/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  gsg::Config config;
  gsg::OverlayJson(text, &config).IgnoreError();
  const absl::StatusOr<gsg::Config> whole = gsg::FromJson(text);
  if (!whole.ok()) return 0;
  // What was read is written and read the same.
  const std::string written = gsg::ToJson(*whole);
  const absl::StatusOr<gsg::Config> again = gsg::FromJson(written);
  GSG_FUZZ_CHECK(again.ok() && gsg::ToJson(*again) == written);
  return 0;
}

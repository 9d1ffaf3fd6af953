// The part of a checkpoint that is not tensors.

#include "trainers/run/run_state.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "tests/trainers/fuzz/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<gsg::SavedRun> run = gsg::StateFromJson(text);
  if (!run.ok()) return 0;
  const std::string written = gsg::StateToJson(run->state, run->config);
  const absl::StatusOr<gsg::SavedRun> again = gsg::StateFromJson(written);
  GSG_FUZZ_CHECK(again.ok() &&
                 gsg::StateToJson(again->state, again->config) == written);
  return 0;
}

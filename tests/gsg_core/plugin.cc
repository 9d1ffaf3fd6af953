// A plugin that has a gsg_core of its own: two_versions_test.cc.
#include "tests/gsg_core/plugin.h"

#include <cstdint>

#include "absl/status/statusor.h"
#include "gsg_core/loss.h"
#include "gsg_core/parse.h"
#include "gsg_core/rows.h"
#include "gsg_core/version.h"

extern "C" PluginAnswer GsgPlugin() {
  PluginAnswer answer;
  answer.version = GSG_VERSION_STRING;
  answer.selections = static_cast<int>(gsg::SelectionNames().size());
  answer.knows_second = gsg::ParseSelection("second").ok();
  const float z11[] = {1, 0}, z12[] = {0, 3}, z21[] = {1, 1}, z22[] = {4, 0};
  const auto row = [](const float* x) {
    return gsg::Rows<const float>(x, 1, 2);
  };
  gsg::LossOptions options;
  const absl::StatusOr<gsg::LossResult> result = gsg::GuidedLoss(
      gsg::FourViews<float>{row(z11), row(z12), row(z21), row(z22), row(z11),
                            row(z12), row(z21), row(z22)},
      options);
  answer.loss = result.ok() ? result->loss : 0;
  return answer;
}

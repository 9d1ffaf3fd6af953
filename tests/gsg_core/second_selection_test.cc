// docs/architecture.md shows the diff that adds a selection. Here it is applied
// to a copy of gsg_core, and the selection chooses, has its name and computes a
// loss.

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gsg_core/loss.h"
#include "gsg_core/parse.h"
#include "gsg_core/rows.h"
#include "gsg_core/selection.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

TEST(SecondSelectionTest, HasItsName) {
  EXPECT_THAT(SelectionNames(), testing::Contains("second"));
  absl::StatusOr<Selection> parsed = ParseSelection("second");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(*parsed, Selection::kSecond);
}

TEST(SecondSelectionTest, TheLossUsesIt) {
  // Distances 1, 3, sqrt(5) and 5: pair 2 is the second closest.
  const float z11[] = {1, 0}, z12[] = {0, 3}, z21[] = {1, 1}, z22[] = {4, 0};
  const auto row = [](const float* x) { return Rows<const float>(x, 1, 2); };
  const FourViews<float> views = {row(z11), row(z12), row(z21), row(z22),
                                  row(z11), row(z12), row(z21), row(z22)};
  LossOptions options;
  options.selection = Selection::kSecond;
  absl::StatusOr<LossResult> result = GuidedLoss<float>(
      views, options, static_cast<const FourViewGrads<float>*>(nullptr));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->pair, std::vector<uint8_t>{2});
}

}  // namespace
}  // namespace gsg

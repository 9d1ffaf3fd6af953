#include "trainers/base/did_you_mean.h"

#include <vector>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

TEST(NearestTest, CountsEachKindOfEditAsOne) {
  const std::vector<absl::string_view> names = {"momentum", "epochs"};
  EXPECT_EQ(Nearest("epoch", names), "epochs");    // insert
  EXPECT_EQ(Nearest("epochss", names), "epochs");  // delete
  EXPECT_EQ(Nearest("epocks", names), "epochs");   // replace
  // Three letters allow one edit: a swap is one, not two.
  EXPECT_EQ(Nearest("acb", {"abc"}), "abc");
  EXPECT_EQ(Nearest("cab", {"abc"}), "");
}

TEST(NearestTest, IgnoresCaseAndDashes) {
  EXPECT_EQ(Nearest("BATCH-SIZE", {"batch_size"}), "batch_size");
}

TEST(NearestTest, PrefersFewerEditsThenTheFirst) {
  EXPECT_EQ(Nearest("cifar101", {"cifar100", "cifar10"}), "cifar100");
  EXPECT_EQ(Nearest("cifar1", {"cifar11", "cifar10"}), "cifar11");
  EXPECT_EQ(Nearest("cifar10", {"cifar100", "cifar10"}), "cifar10");
}

TEST(NearestTest, ElseTheShortestThatContainsTheText) {
  EXPECT_EQ(Nearest("lr", {"constant_predictor_lr", "base_lr"}), "base_lr");
  EXPECT_EQ(Nearest("l", {"base_lr"}), "");
  EXPECT_EQ(Nearest("xyzzy", {"base_lr"}), "");
  EXPECT_EQ(Nearest("", {"base_lr"}), "");
  EXPECT_EQ(Nearest("lr", {}), "");
}

TEST(DidYouMeanTest, IsEmptyWithoutAName) {
  EXPECT_EQ(DidYouMean("epoch", {"epochs"}, "--"), "did you mean --epochs? ");
  EXPECT_EQ(DidYouMean("xyzzy", {"epochs"}, "--"), "");
}

}  // namespace
}  // namespace gsg

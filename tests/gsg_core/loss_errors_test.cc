// Every InvalidArgument of GuidedLoss and Select, word for word.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gsg_core/loss.h"
#include "gtest/gtest.h"
#include "tests/gsg_core/test_util.h"

namespace gsg {
namespace {

constexpr int64_t kRows = 3, kCols = 4;

class LossErrorsTest : public testing::Test {
 protected:
  LossErrorsTest() {
    for (int k = 0; k < 12; ++k) {
      buffers_.emplace_back(kRows, kCols);
      for (int64_t i = 0; i < kRows; ++i) {
        for (int64_t c = 0; c < kCols; ++c) buffers_[k](i, c) = 1 + k + i * c;
      }
    }
    const auto rows = [&](int k) { return buffers_[k].rows(); };
    four_ = {rows(0), rows(1), rows(2), rows(3),
             rows(4), rows(5), rows(6), rows(7)};
    four_grads_ = {rows(8), rows(9), rows(10), rows(11)};
    shared_ = {rows(0), rows(1), rows(4), rows(5), pairing_};
    shared_grads_ = {rows(8), rows(9)};
  }

  void ExpectFour(absl::string_view message) {
    EXPECT_EQ(GuidedLoss(four_, options_, &four_grads_).status(),
              absl::InvalidArgumentError(message));
  }
  void ExpectShared(absl::string_view message) {
    shared_.pairing = pairing_;
    EXPECT_EQ(GuidedLoss(shared_, options_, &shared_grads_).status(),
              absl::InvalidArgumentError(message));
  }
  void ExpectSelectFour(absl::string_view message) {
    EXPECT_EQ(
        Select(four_.z11, four_.z12, four_.z21, four_.z22, options_).status(),
        absl::InvalidArgumentError(message));
  }
  void ExpectSelectShared(absl::string_view message) {
    EXPECT_EQ(Select(shared_.z1, shared_.z2, pairing_, options_).status(),
              absl::InvalidArgumentError(message));
  }

  std::vector<Buffer<float>> buffers_;
  std::vector<int64_t> pairing_ = {1, 2, 0};
  FourViews<float> four_;
  FourViewGrads<float> four_grads_;
  SharedViews<float> shared_;
  SharedGrads<float> shared_grads_;
  LossOptions options_;
};

TEST_F(LossErrorsTest, ValidArgumentsPass) {
  EXPECT_TRUE(GuidedLoss(four_, options_, &four_grads_).ok());
  EXPECT_TRUE(GuidedLoss(shared_, options_, &shared_grads_).ok());
  EXPECT_TRUE(
      Select(four_.z11, four_.z12, four_.z21, four_.z22, options_).ok());
  EXPECT_TRUE(Select(shared_.z1, shared_.z2, pairing_, options_).ok());
}

TEST_F(LossErrorsTest, Shapes) {
  four_.z12 = Rows<const float>(four_.z12.data(), 2, kCols);
  ExpectFour("z12 is 2 x 4; p11 is 3 x 4; their shapes must be equal");
  ExpectSelectFour("z12 is 2 x 4; z11 is 3 x 4; their shapes must be equal");
  shared_.p2 = Rows<const float>(shared_.p2.data(), kRows, 3);
  ExpectShared("p2 is 3 x 3; p1 is 3 x 4; their shapes must be equal");
  shared_.z2 = shared_.p2;
  ExpectSelectShared("z2 is 3 x 3; z1 is 3 x 4; their shapes must be equal");
}

TEST_F(LossErrorsTest, GradShapes) {
  four_grads_.p22 = Rows<float>(four_grads_.p22.data(), 2, kCols);
  ExpectFour("grads.p22 is 2 x 4; p11 is 3 x 4; their shapes must be equal");
  shared_grads_.p1 = Rows<float>(shared_grads_.p1.data(), kRows, 1);
  ExpectShared("grads.p1 is 3 x 1; p1 is 3 x 4; their shapes must be equal");
}

TEST_F(LossErrorsTest, Empty) {
  four_.p11 = Rows<const float>(four_.p11.data(), 0, kCols);
  ExpectFour("p11 is 0 x 4; it needs at least one row and one column");
  shared_.z1 = Rows<const float>(shared_.z1.data(), kRows, 0);
  ExpectShared("z1 is 3 x 0; it needs at least one row and one column");
}

TEST_F(LossErrorsTest, Stride) {
  four_.z22 = Rows<const float>(four_.z22.data(), kRows, kCols, 3);
  ExpectFour(
      "z22 has a row stride of 3 elements; its rows have 4, and the stride "
      "must not be less");
}

TEST_F(LossErrorsTest, NullData) {
  four_.p21 = Rows<const float>(nullptr, kRows, kCols);
  ExpectFour("p21 has null data");
  shared_grads_.p2 = Rows<float>(nullptr, kRows, kCols);
  ExpectShared("grads.p2 has null data");
}

TEST_F(LossErrorsTest, Overlap) {
  const FourViewGrads<float> good = four_grads_;
  four_grads_.p12 = buffers_[6].rows();
  ExpectFour("grads.p12 overlaps z21; gradients need memory of their own");
  four_grads_ = good;
  four_grads_.p21 = good.p11;
  ExpectFour(
      "grads.p21 overlaps grads.p11; gradients need memory of their own");
  // The last element of one is the first of the other.
  Buffer<float> joint(2 * kRows, kCols);
  four_grads_ = good;
  four_grads_.p11 = Rows<float>(joint.rows().data(), kRows, kCols);
  four_grads_.p12 = Rows<float>(joint.rows().row(kRows) - 1, kRows, kCols);
  ExpectFour(
      "grads.p12 overlaps grads.p11; gradients need memory of their own");
  shared_grads_.p1 = buffers_[0].rows();
  ExpectShared("grads.p1 overlaps p1; gradients need memory of their own");
}

// Columns side by side in one buffer are no overlap; a column in common is.
TEST_F(LossErrorsTest, InterleavedGradsAreFine) {
  Buffer<float> joint(kRows, 2 * kCols);
  float* data = joint.rows().data();
  const auto at = [&](float* begin) {
    return Rows<float>(begin, kRows, kCols, 2 * kCols);
  };
  four_grads_.p11 = at(data);
  four_grads_.p12 = at(data + kCols);
  EXPECT_TRUE(GuidedLoss(four_, options_, &four_grads_).ok());
  four_grads_.p11 = at(data + kCols);
  four_grads_.p12 = at(data);
  EXPECT_TRUE(GuidedLoss(four_, options_, &four_grads_).ok());
  four_grads_.p12 = at(data + 1);
  ExpectFour(
      "grads.p12 overlaps grads.p11; gradients need memory of their own");
}

TEST_F(LossErrorsTest, NotFinite) {
  const char* const names[] = {"p11", "p12", "p21", "p22",
                               "z11", "z12", "z21", "z22"};
  for (Selection selection :
       {Selection::kMin, Selection::kMax, Selection::kRandom, Selection::kNone,
        Selection::kSoft, Selection::kMargin}) {
    options_.selection = selection;
    for (Distance distance : {Distance::kEuclidean, Distance::kCosine}) {
      options_.distance = distance;
      for (int k = 0; k < 8; ++k) {
        const float saved = buffers_[k](1, 2);
        // Named beside them: under -ffast-math std::isnan knows none.
        const std::pair<float, const char*> values[] = {
            {INFINITY, "inf"}, {-INFINITY, "-inf"}, {NAN, "nan"}};
        for (const auto& [bad, value] : values) {
          buffers_[k](1, 2) = bad;
          const std::string message = std::string(" has ") + value +
                                      " in row 1, column 2; all values must "
                                      "be finite";
          ExpectFour(names[k] + message);
          if (k >= 4) ExpectSelectFour(names[k] + message);
          if (k % 4 < 2) {
            const std::string name = std::string(names[k], 1) + names[k][2];
            ExpectShared(name + message);
            if (k >= 4) ExpectSelectShared(name + message);
          }
        }
        buffers_[k](1, 2) = saved;
      }
    }
  }
}

TEST_F(LossErrorsTest, FirstOfSeveralNotFinite) {
  buffers_[7](0, 0) = NAN;
  buffers_[2](2, 3) = INFINITY;
  buffers_[2](2, 1) = NAN;
  ExpectFour("p21 has nan in row 2, column 1; all values must be finite");
}

TEST_F(LossErrorsTest, Pairing) {
  pairing_ = {1, 0};
  ExpectShared("pairing has 2 entries; there are 3 rows, and each needs one");
  ExpectSelectShared(
      "pairing has 2 entries; there are 3 rows, and each needs one");
  pairing_ = {1, 3, 0};
  ExpectShared("pairing[1] is 3; entries are rows, 0..2");
  pairing_ = {1, 2, -1};
  ExpectShared("pairing[2] is -1; entries are rows, 0..2");
  ExpectSelectShared("pairing[2] is -1; entries are rows, 0..2");
  pairing_ = {1, 2, 1};  // no permutation
  EXPECT_TRUE(Select(shared_.z1, shared_.z2, pairing_, options_).ok());
}

TEST_F(LossErrorsTest, LocalCrops) {
  const std::vector<Rows<const float>> locals = {buffers_[2].rows(),
                                                 buffers_[3].rows()};
  std::vector<Rows<float>> grads = {buffers_[10].rows()};
  shared_.local_p = locals;
  shared_grads_.local_p = grads;
  ExpectShared(
      "grads.local_p has 1 matrices; local_p has 2, and each needs one");
  grads.push_back(buffers_[9].rows());
  shared_grads_.local_p = grads;
  ExpectShared(
      "grads.local_p[1] overlaps grads.p2; gradients need memory of their own");
  grads[1] = buffers_[11].rows();
  EXPECT_TRUE(GuidedLoss(shared_, options_, &shared_grads_).ok());
  buffers_[3](1, 2) = NAN;
  for (Selection selection : {Selection::kMin, Selection::kNone}) {
    options_.selection = selection;
    ExpectShared(
        "local_p[1] has nan in row 1, column 2; all values must be finite");
  }
  const std::vector<Rows<const float>> narrow = {
      buffers_[2].rows(), Rows<const float>(buffers_[3].rows().data(), 3, 1)};
  shared_.local_p = narrow;
  ExpectShared("local_p[1] is 3 x 1; p1 is 3 x 4; their shapes must be equal");
}

TEST_F(LossErrorsTest, Options) {
  options_.distance = static_cast<Distance>(7);
  ExpectFour("distance is 7, which is not one of its enumerators");
  options_ = LossOptions();
  options_.selection = static_cast<Selection>(-1);
  ExpectShared("selection is -1, which is not one of its enumerators");
  ExpectSelectFour("selection is -1, which is not one of its enumerators");
  options_ = LossOptions();
  options_.grad_scale = std::numeric_limits<double>::infinity();
  ExpectFour("grad_scale is inf; it must be finite");
  options_ = LossOptions();
  options_.temperature = 0;
  ExpectFour("temperature is 0; it must be finite and above 0");
  options_.temperature = std::numeric_limits<double>::quiet_NaN();
  ExpectSelectShared("temperature is nan; it must be finite and above 0");
  options_.temperature = std::numeric_limits<double>::infinity();
  ExpectShared("temperature is inf; it must be finite and above 0");
  options_ = LossOptions();
  options_.margin = 1;
  ExpectSelectFour("margin is 1; it must be at least 0 and below 1");
  options_.margin = -0.25;
  ExpectFour("margin is -0.25; it must be at least 0 and below 1");
}

}  // namespace
}  // namespace gsg

#include "trainers/loss/guided_loss.h"

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gsg_core/loss.h"
#include "gsg_core/selection.h"
#include "gtest/gtest.h"
#include "models/backward.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;

constexpr int64_t kN = 6, kD = 5;
const std::vector<int64_t> kPairing = {3, 0, 4, 5, 1, 2};

std::vector<at::Tensor> Random(int count, at::ScalarType type) {
  std::vector<at::Tensor> tensors;
  for (int i = 0; i < count; ++i) tensors.push_back(at::randn({kN, kD}, type));
  return tensors;
}

at::Tensor Distance(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).norm(2, at::IntArrayRef({1}));
}

// The paper's formula as anyone would write it with autograd.
at::Tensor Formula(const std::vector<at::Tensor>& p,
                   const std::vector<at::Tensor>& z) {
  const at::Tensor pair =
      at::stack({Distance(z[0], z[2]), Distance(z[0], z[3]),
                 Distance(z[1], z[2]), Distance(z[1], z[3])},
                1)
          .argmin(1);
  const auto d = [&](int v) {
    return -at::cosine_similarity(p[v], z[v ^ 1].detach(), 1);
  };
  return (at::where(pair.lt(2), d(0), d(1)) +
          at::where(pair.remainder(2).eq(0), d(2), d(3)))
             .mean() /
         2;
}

std::vector<at::Tensor> RequiringGrad(std::vector<at::Tensor> tensors) {
  for (at::Tensor& t : tensors) t.requires_grad_();
  return tensors;
}

void ExpectGradients(const TensorLoss& loss, const std::vector<at::Tensor>& p) {
  ASSERT_EQ(loss.gradients.size(), p.size());
  for (size_t v = 0; v < p.size(); ++v) {
    // Sums of D = 5 terms of order 1 in double.
    EXPECT_LT((loss.gradients[v] - p[v].grad()).abs().max().item<double>(),
              1e-14);
  }
}

TEST(GuidedLossTest, FourViewsAreTheFormula) {
  at::manual_seed(1);
  const std::vector<at::Tensor> p = RequiringGrad(Random(4, at::kDouble));
  const std::vector<at::Tensor> z = RequiringGrad(Random(4, at::kDouble));
  const at::Tensor want = Formula(p, z);
  want.backward();
  absl::StatusOr<TensorLoss> got = GuidedLoss(p, z, {}, {});
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_NEAR(got->loss, want.item<double>(), 1e-15);
  ExpectGradients(*got, p);
}

TEST(GuidedLossTest, SharedViewsAreTheFormulaOnPairedRows) {
  at::manual_seed(2);
  const std::vector<at::Tensor> p = RequiringGrad(Random(2, at::kDouble));
  const std::vector<at::Tensor> z = Random(2, at::kDouble);
  const at::Tensor r = at::tensor(kPairing);
  const at::Tensor want =
      Formula({p[0], p[1], p[0].index_select(0, r), p[1].index_select(0, r)},
              {z[0], z[1], z[0].index_select(0, r), z[1].index_select(0, r)});
  want.backward();
  absl::StatusOr<TensorLoss> got = GuidedLoss(p, z, kPairing, {});
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_NEAR(got->loss, want.item<double>(), 1e-15);
  ExpectGradients(*got, p);
}

// How a training step uses it: the gradient of the whole loss arrives at what p
// was made from, and nothing arrives at z.
TEST(GuidedLossTest, EntersAutogradAtPAndStopsAtZ) {
  at::manual_seed(3);
  const std::vector<at::Tensor> w = RequiringGrad(Random(2, at::kDouble));
  const std::vector<at::Tensor> z = RequiringGrad(Random(2, at::kDouble));
  const std::vector<at::Tensor> p = {w[0].mul(3), w[1].mul(3)};
  absl::StatusOr<TensorLoss> loss = GuidedLoss(p, z, kPairing, {});
  ASSERT_TRUE(loss.ok()) << loss.status();
  Backward(p, loss->gradients);
  for (int v = 0; v < 2; ++v) {
    const at::Tensor want = loss->gradients[v].mul(3);
    EXPECT_LT((w[v].grad() - want).abs().max().item<double>(), 1e-15);
    EXPECT_FALSE(z[v].grad().defined());
  }
}

TEST(GuidedLossTest, TransposedMemoryIsTakenToo) {
  at::manual_seed(4);
  std::vector<at::Tensor> p = Random(2, at::kFloat);
  const std::vector<at::Tensor> z = Random(2, at::kFloat);
  const double want = GuidedLoss(p, z, kPairing, {})->loss;
  for (at::Tensor& t : p) t = t.t().contiguous().t();
  ASSERT_FALSE(p[0].is_contiguous());
  EXPECT_EQ(GuidedLoss(p, z, kPairing, {})->loss, want);
}

// Of each image its source and the local crops predict its target.
TEST(GuidedLossTest, LocalCropsAreTheFormulaInTheSourcesPlace) {
  at::manual_seed(6);
  const std::vector<at::Tensor> p = RequiringGrad(Random(4, at::kDouble));
  const std::vector<at::Tensor> z = Random(2, at::kDouble);
  const at::Tensor r = at::tensor(kPairing);
  const auto rows = [&](const at::Tensor& first, const at::Tensor& second) {
    return std::vector<at::Tensor>{first, second, first.index_select(0, r),
                                   second.index_select(0, r)};
  };
  const std::vector<at::Tensor> targets = rows(z[0], z[1]);
  const at::Tensor want =
      (Formula(rows(p[0], p[1]), targets) + Formula(rows(p[2], p[2]), targets) +
       Formula(rows(p[3], p[3]), targets)) /
      3;
  want.backward();
  absl::StatusOr<TensorLoss> got = GuidedLoss(p, z, kPairing, {});
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_NEAR(got->loss, want.item<double>(), 1e-15);
  ExpectGradients(*got, p);
}

// 16 bits are those values in float32; only the gradients are rounded.
TEST(GuidedLossTest, SixteenBitsAreTheirValues) {
  at::manual_seed(7);
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16}) {
    std::vector<at::Tensor> p = Random(2, at::kFloat);
    std::vector<at::Tensor> z = Random(2, at::kFloat);
    std::vector<at::Tensor> wide_p, wide_z;
    for (at::Tensor& t : p) wide_p.push_back((t = t.to(type)).to(at::kFloat));
    for (at::Tensor& t : z) wide_z.push_back((t = t.to(type)).to(at::kFloat));
    absl::StatusOr<TensorLoss> got = GuidedLoss(p, z, kPairing, {});
    ASSERT_TRUE(got.ok()) << got.status();
    absl::StatusOr<TensorLoss> want = GuidedLoss(wide_p, wide_z, kPairing, {});
    EXPECT_NEAR(got->loss, want->loss, 1e-6);
    EXPECT_EQ(got->pair_count, want->pair_count);
    for (int v = 0; v < 2; ++v) {
      ASSERT_EQ(got->gradients[v].scalar_type(), type);
      // Below 1 a rounding to 8 or 11 bits is by 2^-9 of the value at most.
      EXPECT_TRUE(at::allclose(got->gradients[v].to(at::kFloat),
                               want->gradients[v], /*rtol=*/1. / 256,
                               /*atol=*/1e-6));
    }
  }
}

// What a recorded step reads says the same as a vector and a number do.
TEST(RecordableLossTest, ReadsPairingAndSeed) {
  at::manual_seed(8);
  const std::vector<at::Tensor> p = Random(2, at::kFloat);
  const std::vector<at::Tensor> z = Random(2, at::kFloat);
  LossOptions options;
  options.selection = Selection::kRandom;
  options.seed = 0xFFFFFFFFFFFFFFF5;  // none that int64 has
  const absl::StatusOr<PairingTensors> tensors =
      MakePairingTensors(kPairing, options.seed, at::Device(at::kCPU));
  ASSERT_TRUE(tensors.ok()) << tensors.status();
  EXPECT_TRUE(at::equal(PairingOf(*tensors), at::tensor(kPairing)));
  const absl::StatusOr<TensorLoss> want = GuidedLoss(p, z, kPairing, options);
  options.seed = 0;
  const absl::StatusOr<TensorLoss> got =
      RecordableLoss(p, z, *tensors, options);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->loss, want->loss);
  EXPECT_EQ(got->pair_count, want->pair_count);
  EXPECT_TRUE(at::equal(got->gradients[0], want->gradients[0]));
  EXPECT_EQ(RecordableLoss(p, z, {{}, tensors->seed}, options).status(),
            absl::InvalidArgumentError("pairing has 0 rows; p has 6"));
}

TEST(RecordableLossTest, FourViewsNeedTheSeedAlone) {
  at::manual_seed(9);
  const std::vector<at::Tensor> p = Random(4, at::kFloat);
  const std::vector<at::Tensor> z = Random(4, at::kFloat);
  const absl::StatusOr<PairingTensors> tensors =
      MakePairingTensors({}, 3, at::Device(at::kCPU));
  ASSERT_TRUE(tensors.ok()) << tensors.status();
  EXPECT_FALSE(tensors->plan.defined());
  EXPECT_EQ(RecordableLoss(p, z, *tensors, {})->loss,
            GuidedLoss(p, z, {}, {})->loss);
}

TEST(ReadTest, WaitsForNumbers) {
  TensorLoss loss;
  loss.on_device = at::tensor({-0.5, 1., 2., 3., 4., 5.}, at::kDouble);
  ASSERT_EQ(Read(&loss), absl::OkStatus());
  EXPECT_EQ(loss.loss, -0.5);
  EXPECT_THAT(loss.pair_count, ElementsAre(1, 2, 3, 4, 5));
  EXPECT_FALSE(loss.on_device.defined());
  loss.on_device = at::full({6}, NAN, at::kDouble);
  EXPECT_EQ(Read(&loss), absl::InvalidArgumentError("the loss is not finite"));
}

TEST(GuidedLossTest, CountsPairs) {
  at::manual_seed(5);
  LossOptions options;
  options.selection = Selection::kNone;
  EXPECT_THAT(GuidedLoss(Random(2, at::kFloat), Random(2, at::kFloat), kPairing,
                         options)
                  ->pair_count,
              ElementsAre(0, 0, 0, 0, kN));
}

TEST(GuidedLossTest, Messages) {
  const auto message = [](const std::vector<at::Tensor>& p,
                          const std::vector<at::Tensor>& z,
                          const std::vector<int64_t>& pairing) {
    const absl::Status status = GuidedLoss(p, z, pairing, {}).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  };
  const std::vector<at::Tensor> two = Random(2, at::kFloat);
  const std::vector<at::Tensor> four = Random(4, at::kFloat);
  EXPECT_EQ(message(two, four, kPairing),
            "got 2 predictions and 4 projections; need 2 of each for shared "
            "views, and more predictions for local crops, or 4 of each for "
            "four views");
  EXPECT_EQ(message(four, four, kPairing),
            "four views have their second image already: pairing must be "
            "empty");
  const at::Tensor whole = at::ones({kN, kD}, at::kLong);
  EXPECT_EQ(message({whole, whole}, two, kPairing),
            "p is Long; it must be Float, Double, Half, BFloat16");
  EXPECT_EQ(message(two, Random(2, at::kDouble), kPairing),
            "tensors are Float and Double; all must have one type");
  EXPECT_EQ(message({two[0].view({kN, kD, 1}), two[1]}, two, kPairing),
            "a tensor has 3 dimensions; it must be [N, D]");
}

}  // namespace
}  // namespace gsg

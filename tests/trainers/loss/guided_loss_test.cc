#include "trainers/loss/guided_loss.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cosine_similarity.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gsg_core/loss.h"
#include "gsg_core/selection.h"
#include "gtest/gtest.h"

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
  torch::autograd::backward(p, loss->gradients);
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
  EXPECT_EQ(message(Random(2, at::kHalf), two, kPairing),
            "p is Half; it must be Float or Double");
  EXPECT_EQ(message(two, Random(2, at::kDouble), kPairing),
            "tensors are Float and Double; all must have one type");
  EXPECT_EQ(message({two[0].view({kN, kD, 1}), two[1]}, two, kPairing),
            "a tensor has 3 dimensions; it must be [N, D]");
}

}  // namespace
}  // namespace gsg

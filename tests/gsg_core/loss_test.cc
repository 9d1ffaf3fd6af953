// What GuidedLoss means: values by hand, properties, gradients, what stops.
#include "gsg_core/loss.h"

#include <array>
#include <cmath>
#include <complex>
#include <cstdint>
#include <random>
#include <vector>

#include "Eigen/Core"
#include "absl/functional/function_ref.h"
#include "gsg_core/eigen.h"
#include "gsg_core/executor.h"
#include "gsg_core/pairing.h"
#include "gsg_core/reference_row.h"
#include "gsg_core/selection.h"
#include "gsg_core/thread_pool.h"
#include "gtest/gtest.h"
#include "tests/gsg_core/test_util.h"

namespace gsg {
namespace {

using Matrix =
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr double kTiny = 1e-13;  // sums of a few dozen doubles

// Predictions, projections and gradients in the order 11, 12, 21, 22.
struct Batch {
  Matrix p[4], z[4], grad[4];

  FourViews<double> Views() const {
    return {AsRows(p[0]), AsRows(p[1]), AsRows(p[2]), AsRows(p[3]),
            AsRows(z[0]), AsRows(z[1]), AsRows(z[2]), AsRows(z[3])};
  }
  LossResult Loss(const LossOptions& options) {
    for (Matrix& g : grad) g.setConstant(p[0].rows(), p[0].cols(), NAN);
    const FourViewGrads<double> grads = {AsRows(grad[0]), AsRows(grad[1]),
                                         AsRows(grad[2]), AsRows(grad[3])};
    const auto result = GuidedLoss(Views(), options, &grads);
    EXPECT_TRUE(result.ok()) << result.status();
    return *result;
  }
};

Batch RandomBatch(int64_t n, int64_t d) {
  std::mt19937_64 generator(TestSeed());
  std::normal_distribution<double> normal;
  Batch batch;
  for (Matrix* group : {batch.p, batch.z}) {
    for (int v = 0; v < 4; ++v) {
      group[v] = Matrix::NullaryExpr(n, d, [&] { return normal(generator); });
    }
  }
  return batch;
}

LossOptions With(Distance distance, Selection selection) {
  LossOptions options;
  options.distance = distance;
  options.selection = selection;
  options.seed = 5;
  return options;
}

// Distances 1, 3, sqrt(5), 5; the cosine distance of the second pair is 0.
Batch HandBatch() {
  Batch batch;
  for (int v = 0; v < 4; ++v) batch.p[v].resize(1, 2), batch.z[v].resize(1, 2);
  batch.z[0] << 1, 0;
  batch.z[1] << 0, 3;
  batch.z[2] << 1, 1;
  batch.z[3] << 4, 0;
  batch.p[0] << 0, 1;
  batch.p[1] << 1, 0;
  batch.p[2] << 1, 1;
  batch.p[3] << 3, 4;
  return batch;
}

TEST(LossTest, ByHand) {
  Batch batch = HandBatch();
  const LossResult result = batch.Loss(LossOptions());
  EXPECT_EQ(result.pair, std::vector<uint8_t>({0}));
  EXPECT_EQ(result.pair_count, (std::array<int64_t, 5>{1, 0, 0, 0, 0}));
  EXPECT_NEAR(result.loss, -(1 + std::sqrt(0.5)) / 2, kTiny);
  EXPECT_NEAR(result.loss, -0.853553, 5e-7);
}

TEST(LossTest, GradientByHand) {
  // dD/dp at p = (1,1), z = (4,0) is (-1/2, 1/2) / sqrt(2); p11 is at its
  // minimum; views 12 and 22 are targets.
  Batch batch = HandBatch();
  LossOptions options;
  options.grad_scale = 2;
  batch.Loss(options);
  EXPECT_NEAR(batch.grad[2](0, 0), -0.5 / std::sqrt(2), kTiny);
  EXPECT_NEAR(batch.grad[2](0, 1), 0.5 / std::sqrt(2), kTiny);
  EXPECT_NEAR(batch.grad[0].norm(), 0, kTiny);
  EXPECT_EQ(batch.grad[1].norm(), 0);
  EXPECT_EQ(batch.grad[3].norm(), 0);
}

TEST(LossTest, DistanceIsUnnormalizedUnlessCosine) {
  Batch batch = HandBatch();
  const auto pair = [&](Distance distance) {
    return batch.Loss(With(distance, Selection::kMin)).pair[0];
  };
  EXPECT_EQ(pair(Distance::kEuclidean), 0);
  EXPECT_EQ(pair(Distance::kSquaredEuclidean), 0);
  EXPECT_EQ(pair(Distance::kCosine), 1);
}

TEST(LossTest, OtherSelectionsByHand) {
  Batch batch = HandBatch();
  // Farthest: 12 and 22. p12 = (1,0) with z11 = (1,0): 1; p22 = (3,4) with
  // z21 = (1,1): 7 / (5 sqrt(2)).
  const double cos22 = 7 / (5 * std::sqrt(2));
  LossResult result = batch.Loss(With(Distance::kEuclidean, Selection::kMax));
  EXPECT_EQ(result.pair[0], 3);
  EXPECT_NEAR(result.loss, -(1 + cos22) / 2, kTiny);
  // All four at half the weight.
  result = batch.Loss(With(Distance::kEuclidean, Selection::kNone));
  EXPECT_EQ(result.pair[0], kAllViews);
  EXPECT_EQ(result.pair_count[kAllViews], 1);
  EXPECT_NEAR(result.loss, -(1 + 1 + std::sqrt(0.5) + cos22) / 4, kTiny);
}

// Distances 1, 3, sqrt(5), 5: the closest is 55% closer than the next.
TEST(LossTest, MarginByHand) {
  Batch batch = HandBatch();
  LossOptions options = With(Distance::kEuclidean, Selection::kMargin);
  options.margin = 0.55;
  const double guided = batch.Loss(LossOptions()).loss;
  EXPECT_EQ(batch.Loss(options).loss, guided);
  options.margin = 0.56;
  const LossResult result = batch.Loss(options);
  EXPECT_EQ(result.pair_count, (std::array<int64_t, 5>{0, 0, 0, 0, 1}));
  EXPECT_EQ(result.loss,
            batch.Loss(With(Distance::kEuclidean, Selection::kNone)).loss);
}

// Squared distances 1, 9, 5, 25 at a temperature of 4 / ln 2 have probabilities
// as 1 : 1/4 : 1/2 : 1/64, that is 64, 16, 32, 1 of 113.
TEST(LossTest, SoftByHand) {
  Batch batch = HandBatch();
  LossOptions options = With(Distance::kSquaredEuclidean, Selection::kSoft);
  options.temperature = 4 / std::log(2);
  const LossResult result = batch.Loss(options);
  EXPECT_EQ(result.pair_count, (std::array<int64_t, 5>{1, 0, 0, 0, 0}));
  // p11 with z12: 1; p12 with z11: 1; p21 with z22: sqrt(1/2); p22 with z21.
  const double cos22 = 7 / (5 * std::sqrt(2));
  EXPECT_NEAR(result.loss,
              -(80 * 1 + 33 * 1 + 96 * std::sqrt(0.5) + 17 * cos22) / 113 / 2,
              kTiny);
  // GradientByHand, with a weight of 96/113 instead of 1 and a grad_scale of 1.
  EXPECT_NEAR(batch.grad[2](0, 0), -96 / 113. * 0.25 / std::sqrt(2), kTiny);
  EXPECT_GT(batch.grad[3].norm(), 0);
}

TEST(LossTest, EqualProjectionsTieToTheFirstPair) {
  Batch batch = RandomBatch(3, 5);
  for (int v = 1; v < 4; ++v) batch.z[v] = batch.z[0];
  for (Distance distance : {Distance::kEuclidean, Distance::kCosine}) {
    EXPECT_EQ(batch.Loss(With(distance, Selection::kMin)).pair,
              std::vector<uint8_t>({0, 0, 0}));
  }
}

// Renaming views or images renames pairs and moves gradients along.
TEST(LossTest, SwapsCommute) {
  struct Swap {
    int views[4];  // view v of the swapped batch is this view of the original
    int pairs[5];
  };
  const Swap swaps[] = {{{1, 0, 2, 3}, {2, 3, 0, 1, 4}},   // image 1's views
                        {{0, 1, 3, 2}, {1, 0, 3, 2, 4}},   // image 2's views
                        {{2, 3, 0, 1}, {0, 2, 1, 3, 4}}};  // the images
  for (Selection selection : {Selection::kMin, Selection::kMax,
                              Selection::kNone, Selection::kMargin}) {
    const LossOptions options = With(Distance::kEuclidean, selection);
    Batch batch = RandomBatch(40, 9);
    const LossResult result = batch.Loss(options);
    for (const Swap& swap : swaps) {
      Batch swapped;
      for (int v = 0; v < 4; ++v) {
        swapped.p[v] = batch.p[swap.views[v]];
        swapped.z[v] = batch.z[swap.views[v]];
      }
      const LossResult swapped_result = swapped.Loss(options);
      EXPECT_NEAR(swapped_result.loss, result.loss, kTiny);
      for (size_t i = 0; i < result.pair.size(); ++i) {
        EXPECT_EQ(swapped_result.pair[i], swap.pairs[result.pair[i]]);
      }
      for (int v = 0; v < 4; ++v) {
        EXPECT_EQ(swapped.grad[v], batch.grad[swap.views[v]]);
      }
    }
  }
}

TEST(LossTest, RotationChangesNothing) {
  Batch batch = RandomBatch(40, 9);
  Eigen::VectorXd u = Eigen::VectorXd::LinSpaced(9, -1, 2).normalized();
  const Matrix reflection = Matrix::Identity(9, 9) - 2 * u * u.transpose();
  for (Distance distance :
       {Distance::kEuclidean, Distance::kSquaredEuclidean, Distance::kCosine}) {
    const LossOptions options = With(distance, Selection::kMin);
    const LossResult result = batch.Loss(options);
    Batch rotated;
    for (int v = 0; v < 4; ++v) {
      rotated.p[v] = batch.p[v] * reflection;
      rotated.z[v] = batch.z[v] * reflection;
    }
    const LossResult rotated_result = rotated.Loss(options);
    EXPECT_EQ(rotated_result.pair, result.pair);
    EXPECT_NEAR(rotated_result.loss, result.loss, kTiny);
    for (int v = 0; v < 4; ++v) {
      EXPECT_LT((rotated.grad[v] - batch.grad[v] * reflection).norm(), kTiny);
    }
  }
}

// With the choice and targets frozen D is analytic in p, and a complex step
// gives its derivative without cancellation.
TEST(LossTest, GradientIsTheDerivative) {
  constexpr double kStep = 1e-30;
  constexpr int64_t kRows = 3, kCols = 6;
  for (Selection selection :
       {Selection::kMin, Selection::kNone, Selection::kMargin}) {
    Batch batch = RandomBatch(kRows, kCols);
    const LossResult result = batch.Loss(With(Distance::kEuclidean, selection));
    for (int64_t i = 0; i < kRows; ++i) {
      Choice choice = {kAllViews, {0.5, 0.5, 0.5, 0.5}};
      if (result.pair[i] != kAllViews) choice = SourcesOf(result.pair[i]);
      for (int v = 0; v < 4; ++v) {
        const Matrix target = batch.z[PartnerView(v)].row(i);
        Eigen::RowVectorXcd p = batch.p[v].row(i).cast<std::complex<double>>();
        for (int64_t c = 0; c < kCols; ++c) {
          p(c) += std::complex<double>(0, kStep);
          const double derivative =
              choice.weights[v] / 2 / kRows *
              reference::NegativeCosine<std::complex<double>>(
                  p.data(), target.data(), kCols)
                  .imag() /
              kStep;
          EXPECT_NEAR(batch.grad[v](i, c), derivative, 1e-15);
          p(c) = batch.p[v](i, c);
        }
      }
    }
  }
}

TEST(LossTest, GradientIsOrthogonalToThePrediction) {
  Batch batch = RandomBatch(20, 33);
  batch.Loss(With(Distance::kEuclidean, Selection::kNone));
  for (int v = 0; v < 4; ++v) {
    EXPECT_GT(batch.grad[v].rowwise().norm().minCoeff(), 0);
    const Eigen::VectorXd along =
        batch.p[v].cwiseProduct(batch.grad[v]).rowwise().sum();
    EXPECT_LT(along.cwiseAbs().maxCoeff(), kTiny);
  }
}

TEST(LossTest, TargetGetsExactlyZeroGradient) {
  Batch batch = RandomBatch(20, 33);
  const LossResult result = batch.Loss(LossOptions());
  for (int64_t i = 0; i < 20; ++i) {
    const Choice choice = SourcesOf(result.pair[i]);
    for (int v = 0; v < 4; ++v) {
      if (choice.weights[v] == 0) {
        EXPECT_TRUE((batch.grad[v].row(i).array() == 0).all());
      } else {
        EXPECT_GT(batch.grad[v].row(i).norm(), 0);
      }
    }
  }
  // The loss does depend on a target: it is a gradient that is stopped, not
  // one that is not there.
  const int target = PartnerView(result.pair[0] / 2);
  constexpr double kStep = 1e-5;
  batch.z[target](0, 0) += kStep;
  const LossResult moved = batch.Loss(LossOptions());
  EXPECT_EQ(moved.pair, result.pair);
  EXPECT_GT(std::abs(moved.loss - result.loss) / kStep, 1e-5);
}

TEST(LossTest, ZeroRows) {
  // p11 = 0: D = 0, gradient 1/2 * -z / (eps ||z||).
  Batch batch = HandBatch();
  batch.p[0].setZero();
  EXPECT_NEAR(batch.Loss(LossOptions()).loss, -std::sqrt(0.5) / 2, kTiny);
  EXPECT_NEAR(batch.grad[0](0, 0), 0, kTiny);
  EXPECT_NEAR(batch.grad[0](0, 1), -0.5e8, 1e-6);
  // z12 = 0, the target of p11: D = 0 and no gradient.
  batch = HandBatch();
  batch.z[1].setZero();
  EXPECT_NEAR(batch.Loss(LossOptions()).loss, -std::sqrt(0.5) / 2, kTiny);
  EXPECT_EQ(batch.grad[0].norm(), 0);
}

TEST(LossTest, GradScaleScalesGradientsAlone) {
  Batch batch = RandomBatch(5, 7);
  const double loss = batch.Loss(LossOptions()).loss;
  Batch scaled = batch;
  LossOptions options;
  options.grad_scale = 1024;
  EXPECT_EQ(scaled.Loss(options).loss, loss);
  for (int v = 0; v < 4; ++v) EXPECT_EQ(scaled.grad[v], 1024 * batch.grad[v]);
}

TEST(LossTest, SharedIsFourViewsOfThePairing) {
  constexpr int64_t kRows = 50, kCols = 17;
  // The last is no permutation: most images are second often or never.
  std::vector<int64_t> map(kRows, 3);
  for (int64_t i = 0; i < kRows; i += 2) map[i] = (7 * i + 1) % (kRows / 2);
  for (const std::vector<int64_t>& pairing :
       {*CyclicPairing(kRows, TestSeed()), *RandomPairing(kRows, TestSeed()),
        map, std::vector<int64_t>(kRows, 0)}) {
    for (Selection selection :
         {Selection::kMin, Selection::kMax, Selection::kRandom,
          Selection::kNone, Selection::kSoft, Selection::kMargin}) {
      const LossOptions options = With(Distance::kEuclidean, selection);
      Batch four = RandomBatch(kRows, kCols);
      for (int64_t i = 0; i < kRows; ++i) {
        for (int w = 0; w < 2; ++w) {
          four.p[2 + w].row(i) = four.p[w].row(pairing[i]);
          four.z[2 + w].row(i) = four.z[w].row(pairing[i]);
        }
      }
      const LossResult expected = four.Loss(options);
      Matrix grad[2] = {Matrix(kRows, kCols), Matrix(kRows, kCols)};
      const SharedViews<double> views = {AsRows(four.p[0]), AsRows(four.p[1]),
                                         AsRows(four.z[0]), AsRows(four.z[1]),
                                         pairing};
      const SharedGrads<double> grads = {AsRows(grad[0]), AsRows(grad[1])};
      const auto shared = GuidedLoss(views, options, &grads);
      ASSERT_TRUE(shared.ok()) << shared.status();
      EXPECT_EQ(shared->pair, expected.pair);
      EXPECT_EQ(shared->pair_count, expected.pair_count);
      EXPECT_NEAR(shared->loss, expected.loss, kTiny);
      for (int w = 0; w < 2; ++w) {
        Matrix sum = four.grad[w];
        for (int64_t i = 0; i < kRows; ++i) {
          sum.row(pairing[i]) += four.grad[2 + w].row(i);
        }
        EXPECT_LT((grad[w] - sum).norm(), kTiny);
      }
    }
  }
}

// HandBatch with both images in both roles: choices are pair 0 twice, sources
// p11 and p21 in both rows. Local crops of image 1 are (1, 1) and (0, 1), of
// image 2 (1, 0) and (1, 1); their targets are z12 = (0, 3) and z22 = (4, 0).
TEST(MultiCropTest, ByHand) {
  Matrix p1(2, 2), p2(2, 2), z1(2, 2), z2(2, 2), local[2], grad[4];
  p1 << 0, 1, 1, 1;
  p2 << 1, 0, 3, 4;
  z1 << 1, 0, 1, 1;
  z2 << 0, 3, 4, 0;
  for (Matrix& m : local) m.resize(2, 2);
  local[0] << 1, 1, 1, 0;
  local[1] << 0, 1, 1, 1;
  for (Matrix& g : grad) g.resize(2, 2);
  const std::vector<int64_t> pairing = {1, 0};
  const std::vector<Rows<const double>> locals = {AsRows(local[0]),
                                                  AsRows(local[1])};
  const std::vector<Rows<double>> local_grads = {AsRows(grad[2]),
                                                 AsRows(grad[3])};
  const SharedViews<double> views = {AsRows(p1), AsRows(p2), AsRows(z1),
                                     AsRows(z2), pairing,    locals};
  const SharedGrads<double> grads = {AsRows(grad[0]), AsRows(grad[1]),
                                     local_grads};
  LossOptions options;
  options.grad_scale = 2 * 3;  // undoes both means
  const auto result = GuidedLoss(views, options, &grads);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->pair, std::vector<uint8_t>({0, 0}));
  // Two rows alike, each 1/2 1/3 (1 + r + 1 of image 1, r + 1 + r of image 2).
  const double r = std::sqrt(0.5);
  EXPECT_NEAR(result->loss, -(3 + 3 * r) / 6, kTiny);
  EXPECT_EQ(grad[1].norm(), 0);  // p2 is no source
  // dD/dp at p = (1, 1), z = (0, 3) is (1/2, -1/2) / sqrt(2); two roles.
  EXPECT_NEAR(grad[2](0, 0), 0.5 * r, kTiny);
  EXPECT_NEAR(grad[2](0, 1), -0.5 * r, kTiny);
  EXPECT_NEAR(grad[3](1, 0), -0.5 * r, kTiny);
  EXPECT_NEAR(grad[3](1, 1), 0.5 * r, kTiny);
  EXPECT_NEAR(grad[3].row(0).norm(), 0, kTiny);  // at their minimum
  EXPECT_NEAR(grad[2].row(1).norm(), 0, kTiny);
}

// Without guidance it is the mean over all pairs of a view and another, large
// one, as in DINO.
TEST(MultiCropTest, WithoutGuidanceIsTheMeanOverPairs) {
  constexpr int64_t kRows = 20, kCols = 7;
  Batch batch = RandomBatch(kRows, kCols);
  const std::vector<int64_t> pairing = *CyclicPairing(kRows, 1);
  const std::vector<Rows<const double>> locals = {
      AsRows(batch.p[2]), AsRows(batch.p[3]), AsRows(batch.z[3])};
  const SharedViews<double> views = {AsRows(batch.p[0]),
                                     AsRows(batch.p[1]),
                                     AsRows(batch.z[0]),
                                     AsRows(batch.z[1]),
                                     pairing,
                                     locals};
  const auto result =
      GuidedLoss(views, With(Distance::kEuclidean, Selection::kNone));
  ASSERT_TRUE(result.ok()) << result.status();
  double sum = 0;
  int pairs = 0;
  const Matrix* const predictions[] = {&batch.p[0], &batch.p[1], &batch.p[2],
                                       &batch.p[3], &batch.z[3]};
  for (int view = 0; view < 5; ++view) {
    for (int target : {0, 1}) {
      if (target == view) continue;
      for (int64_t i = 0; i < kRows; ++i) {
        const Eigen::RowVectorXd p = predictions[view]->row(i),
                                 z = batch.z[target].row(i);
        sum -= p.dot(z) / p.norm() / z.norm();
        ++pairs;
      }
    }
  }
  EXPECT_EQ(pairs, 8 * kRows);
  EXPECT_NEAR(result->loss, sum / pairs, kTiny);
}

// No small crops: bit for bit the loss of two views, whatever the pairing.
TEST(MultiCropTest, TwoLargeCropsAreTwoViews) {
  constexpr int64_t kRows = 30, kCols = 17;
  Batch batch = RandomBatch(kRows, kCols);
  const std::vector<Rows<const double>> no_locals;
  const std::vector<Rows<double>> no_grads;
  for (const std::vector<int64_t>& pairing :
       {*CyclicPairing(kRows, 1), std::vector<int64_t>(kRows, 4)}) {
    const SharedViews<double> two = {AsRows(batch.p[0]), AsRows(batch.p[1]),
                                     AsRows(batch.z[0]), AsRows(batch.z[1]),
                                     pairing};
    SharedViews<double> crops = two;
    crops.local_p = no_locals;
    Matrix grad[4];
    for (Matrix& g : grad) g.resize(kRows, kCols);
    const SharedGrads<double> two_grads = {AsRows(grad[0]), AsRows(grad[1])};
    const SharedGrads<double> crop_grads = {AsRows(grad[2]), AsRows(grad[3]),
                                            no_grads};
    for (Selection selection : {Selection::kMin, Selection::kSoft}) {
      const LossOptions options = With(Distance::kEuclidean, selection);
      EXPECT_EQ(GuidedLoss(two, options, &two_grads)->loss,
                GuidedLoss(crops, options, &crop_grads)->loss);
      EXPECT_EQ(grad[0], grad[2]);
      EXPECT_EQ(grad[1], grad[3]);
    }
    // A local crop that is a large one leaves what the others have between them
    // in proportion: the gradient of a large view is halved.
    const std::vector<Rows<const double>> one = {AsRows(batch.p[0])};
    Matrix local_grad(kRows, kCols);
    const std::vector<Rows<double>> one_grad = {AsRows(local_grad)};
    crops.local_p = one;
    const SharedGrads<double> more = {AsRows(grad[2]), AsRows(grad[3]),
                                      one_grad};
    ASSERT_TRUE(GuidedLoss(two, {}, &two_grads).ok());
    ASSERT_TRUE(GuidedLoss(crops, {}, &more).ok());
    EXPECT_EQ(grad[2], grad[0] / 2);
    EXPECT_EQ(grad[3], grad[1] / 2);
    EXPECT_GT(local_grad.rowwise().norm().minCoeff(), 0);
  }
}

TEST(LossTest, LossWithoutGradientsIsTheSame) {
  Batch batch = RandomBatch(30, 12);
  const double loss = batch.Loss(LossOptions()).loss;
  EXPECT_EQ(GuidedLoss(batch.Views(), LossOptions())->loss, loss);
}

TEST(SelectTest, IsWhatTheLossChooses) {
  Batch batch = RandomBatch(70, 12);
  const FourViews<double> v = batch.Views();
  const std::vector<int64_t> pairing = *CyclicPairing(70, 2);
  for (Selection selection :
       {Selection::kMin, Selection::kMax, Selection::kRandom, Selection::kNone,
        Selection::kSoft, Selection::kMargin}) {
    const LossOptions options = With(Distance::kCosine, selection);
    EXPECT_EQ(*Select(v.z11, v.z12, v.z21, v.z22, options),
              GuidedLoss(v, options)->pair);
    EXPECT_EQ(
        *Select(v.z11, v.z12, pairing, options),
        GuidedLoss(SharedViews<double>{v.p11, v.p12, v.z11, v.z12, pairing},
                   options)
            ->pair);
  }
}

// The last task first.
class ReverseExecutor final : public Executor {
 public:
  int concurrency() const override { return 1; }
  void ParallelFor(int64_t tasks,
                   absl::FunctionRef<void(int64_t)> body) override {
    for (int64_t task = tasks - 1; task >= 0; --task) body(task);
  }
};

TEST(LossTest, SameBitsFromEveryExecutor) {
  Batch batch = RandomBatch(203, 19);
  Matrix grad[2] = {Matrix(203, 19), Matrix(203, 19)};
  std::vector<int64_t> pairing = *RandomPairing(203, 1);
  SharedViews<double> shared = {AsRows(batch.p[0]), AsRows(batch.p[1]),
                                AsRows(batch.z[0]), AsRows(batch.z[1]),
                                pairing};
  const SharedGrads<double> shared_grads = {AsRows(grad[0]), AsRows(grad[1])};
  const double loss = batch.Loss(LossOptions()).loss;
  const Matrix four_grad = batch.grad[1];
  ReverseExecutor reverse;
  ThreadPool two(2), five(5);
  for (bool permutation : {true, false}) {
    if (!permutation) pairing[5] = pairing[100] = 7;
    shared.pairing = pairing;
    LossOptions options;
    const double shared_loss = GuidedLoss(shared, options, &shared_grads)->loss;
    const Matrix shared_grad = grad[1];
    for (Executor* executor : std::vector<Executor*>{&reverse, &two, &five}) {
      options.executor = executor;
      grad[1].setZero();
      EXPECT_EQ(batch.Loss(options).loss, loss);
      EXPECT_EQ(GuidedLoss(shared, options, &shared_grads)->loss, shared_loss);
      EXPECT_EQ(batch.grad[1], four_grad);
      EXPECT_EQ(grad[1], shared_grad);
    }
  }
}

}  // namespace
}  // namespace gsg

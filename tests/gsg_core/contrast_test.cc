// What docs/why_guiding_contrasts.md derives, checked with GuidedLoss's own
// gradients: where predictions are the projections and have unit norm, a guided
// step is SimSiam's and a shift of each image away from the other.
#include <cmath>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "Eigen/Core"
#include "gsg_core/eigen.h"
#include "gsg_core/loss.h"
#include "gsg_core/selection.h"
#include "gtest/gtest.h"
#include "tests/gsg_core/test_util.h"

namespace gsg {
namespace {

using Matrix =
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Row = Eigen::RowVectorXd;

constexpr double kTiny = 1e-13;  // sums of a few dozen doubles

// Views 11, 12, 21, 22 of pairs of images, a pair a row.
struct Views {
  Matrix x[4];

  Row at(int view, int64_t i) const { return x[view].row(i); }
  // Of the two views of an image, 0 or 1.
  Row center(int image, int64_t i) const {
    return (at(2 * image, i) + at(2 * image + 1, i)) / 2;
  }
  double squared_distance(int a, int b, int64_t i) const {
    return (at(a, i) - at(b, i)).squaredNorm();
  }
  // The squared distance of the two centers.
  double separation(int64_t i) const {
    return (center(0, i) - center(1, i)).squaredNorm();
  }
};

// The views' velocities under gradient descent on the sum over rows, with
// predictions that are the projections; and which pair is chosen.
Views Velocities(const Views& views, Selection selection,
                 std::vector<uint8_t>* pair) {
  const int64_t n = views.x[0].rows(), d = views.x[0].cols();
  Views velocities;
  for (Matrix& v : velocities.x) v.resize(n, d);
  LossOptions options;
  options.selection = selection;
  options.seed = 7;
  options.grad_scale = -static_cast<double>(n);
  const Matrix* x = views.x;
  const FourViews<double> rows = {AsRows(x[0]), AsRows(x[1]), AsRows(x[2]),
                                  AsRows(x[3]), AsRows(x[0]), AsRows(x[1]),
                                  AsRows(x[2]), AsRows(x[3])};
  Matrix* v = velocities.x;
  const FourViewGrads<double> grads = {AsRows(v[0]), AsRows(v[1]), AsRows(v[2]),
                                       AsRows(v[3])};
  const auto result = GuidedLoss(rows, options, &grads);
  EXPECT_TRUE(result.ok()) << result.status();
  *pair = result->pair;
  return velocities;
}

// d/dt of separation(i).
double SeparationRate(const Views& views, const Views& velocities, int64_t i) {
  return 2 * (views.center(0, i) - views.center(1, i))
                 .dot(velocities.center(0, i) - velocities.center(1, i));
}

Row RandomUnit(std::mt19937_64& generator, int64_t d) {
  std::normal_distribution<double> normal;
  return Row::NullaryExpr(d, [&] { return normal(generator); }).normalized();
}

// A unit vector whose product with the unit vector x is s.
Row AtCosine(std::mt19937_64& generator, const Row& x, double s) {
  Row y = RandomUnit(generator, x.size());
  y = (y - y.dot(x) * x).normalized();
  return s * x + std::sqrt(1 - s * s) * y;
}

// Unit rows; the views of image V of row i have the cosine cosines(V, i).
template <typename Cosines>
Views RandomViews(int64_t n, int64_t d, const Cosines& cosines) {
  std::mt19937_64 generator(TestSeed());
  Views views;
  for (Matrix& x : views.x) x.resize(n, d);
  for (int64_t i = 0; i < n; ++i) {
    for (int image : {0, 1}) {
      const Row x = RandomUnit(generator, d);
      views.x[2 * image].row(i) = x;
      views.x[2 * image + 1].row(i) = AtCosine(generator, x, cosines(image, i));
    }
  }
  return views;
}

// Between -0.9 and 0.9, the same for all.
double EqualCosine(int64_t i, int64_t n) {
  return -0.9 + 1.8 * static_cast<double>(i) / static_cast<double>(n - 1);
}

// If the views of both images agree as well, guiding moves the centers apart in
// every row, at the rate derived.
TEST(ContrastTest, EveryPairOfImagesMovesApart) {
  constexpr int64_t kRows = 2000;
  for (int64_t d : {2, 3, 16, 128}) {
    const auto cosine = [](int, int64_t i) { return EqualCosine(i, kRows); };
    const Views views = RandomViews(kRows, d, cosine);
    std::vector<uint8_t> pair, all;
    const Views guided = Velocities(views, Selection::kMin, &pair);
    const Views plain = Velocities(views, Selection::kNone, &all);
    double total = 0;
    for (int64_t i = 0; i < kRows; ++i) {
      const int a = pair[i] / 2, b = 2 + pair[i] % 2;
      const double chosen = views.squared_distance(a, b, i);
      const double partners =
          views.squared_distance(PartnerView(a), PartnerView(b), i);
      const double rate =
          SeparationRate(views, guided, i) - SeparationRate(views, plain, i);
      EXPECT_NEAR(rate, (1 + cosine(0, i)) / 8 * (partners - chosen), kTiny);
      EXPECT_GE(rate, -kTiny);
      total += rate;
    }
    EXPECT_GT(total / kRows, 0.01) << d;
  }
}

// Of what guiding chooses, and not of choosing: the farthest pair moves images
// together, and any pair on average neither.
TEST(ContrastTest, OnAverageOnlyTheClosestPairSeparates) {
  constexpr int64_t kRows = 20000, kCols = 16;
  const auto cosine = [](int image, int64_t i) {
    return EqualCosine(image == 0 ? i : (7 * i) % kRows, kRows);
  };
  const Views views = RandomViews(kRows, kCols, cosine);
  std::vector<uint8_t> pair;
  const Views plain = Velocities(views, Selection::kNone, &pair);
  const auto mean_and_error = [&](Selection selection) {
    const Views velocities = Velocities(views, selection, &pair);
    Eigen::VectorXd rates(kRows);
    for (int64_t i = 0; i < kRows; ++i) {
      rates[i] = SeparationRate(views, velocities, i) -
                 SeparationRate(views, plain, i);
    }
    const double mean = rates.mean();
    const double variance = (rates.array() - mean).square().mean();
    return std::pair<double, double>(mean, std::sqrt(variance / kRows));
  };
  const auto [closest, closest_error] = mean_and_error(Selection::kMin);
  const auto [farthest, farthest_error] = mean_and_error(Selection::kMax);
  const auto [random, random_error] = mean_and_error(Selection::kRandom);
  EXPECT_GT(closest, 20 * closest_error);
  EXPECT_LT(farthest, -20 * farthest_error);
  EXPECT_LT(std::abs(random), 4 * random_error);
}

// The views of an image come together as fast with guiding as without: per unit
// of time their cosine s grows by (1 - s^2) / 2.
TEST(ContrastTest, ViewsOfAnImageAgreeAsFast) {
  constexpr int64_t kRows = 200;
  const auto cosine = [](int image, int64_t i) {
    return EqualCosine(image == 0 ? i : (7 * i) % kRows, kRows);
  };
  const Views views = RandomViews(kRows, 16, cosine);
  std::vector<uint8_t> pair;
  for (Selection selection :
       {Selection::kMin, Selection::kNone, Selection::kSoft}) {
    const Views velocities = Velocities(views, selection, &pair);
    for (int64_t i = 0; i < kRows; ++i) {
      for (int v : {0, 2}) {
        const double s = cosine(v / 2, i);
        EXPECT_NEAR(velocities.at(v, i).dot(views.at(v + 1, i)) +
                        velocities.at(v + 1, i).dot(views.at(v, i)),
                    (1 - s * s) / 2, kTiny);
      }
    }
  }
}

// On a circle, by hand, with whole steps: image 1 at 0 and 40 degrees, image 2
// at 60 and 100. SimSiam leaves the images where they are, 60 degrees apart;
// guiding moves 40 towards 0 and 60 towards 100.
TEST(ContrastTest, OnACircle) {
  const auto degrees = [](double angle) {
    Row x(2);
    x << std::cos(angle * M_PI / 180), std::sin(angle * M_PI / 180);
    return x;
  };
  const auto angle = [](const Row& x) {
    return std::atan2(x[1], x[0]) * 180 / M_PI;
  };
  const double start[4] = {0, 40, 60, 100};
  for (Selection selection : {Selection::kMin, Selection::kNone}) {
    Views views;
    for (int v = 0; v < 4; ++v) views.x[v] = degrees(start[v]);
    for (int step = 0; step < 200; ++step) {
      std::vector<uint8_t> pair;
      const Views velocities = Velocities(views, selection, &pair);
      for (int v = 0; v < 4; ++v) {
        const Row moved = views.at(v, 0) + 0.1 * velocities.at(v, 0);
        views.x[v] = moved.normalized();
      }
      if (selection == Selection::kMin && step == 0) {
        EXPECT_EQ(pair[0], 2);  // 12 and 21
        EXPECT_NEAR(angle(views.at(0, 0)), 0, 1e-12);
        EXPECT_LT(angle(views.at(1, 0)), 40);
        EXPECT_GT(angle(views.at(2, 0)), 60);
        EXPECT_NEAR(angle(views.at(3, 0)), 100, 1e-12);
      }
    }
    const bool guided = selection == Selection::kMin;
    EXPECT_NEAR(angle(views.center(0, 0)), guided ? 0 : 20, 0.1);
    EXPECT_NEAR(angle(views.center(1, 0)), guided ? 100 : 80, 0.1);
  }
}

}  // namespace
}  // namespace gsg

#include "trainers/report/tsne.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "Eigen/Core"
#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

constexpr unsigned kSeed = 20080809;

// `clusters` Gaussian clouds in d dimensions, 100 deviations apart; point i
// belongs to cloud i % clusters.
std::vector<float> Clouds(int64_t n, int64_t d, int64_t clusters) {
  testing::Test::RecordProperty("seed", static_cast<int>(kSeed));
  std::mt19937 generator(kSeed);
  std::normal_distribution<float> normal;
  std::vector<float> features(n * d);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < d; ++j) {
      features[i * d + j] =
          normal(generator) + (j == i % clusters ? 100.0f : 0.0f);
    }
  }
  return features;
}

double Distance(const std::array<float, 2>& a, const std::array<float, 2>& b) {
  return std::hypot(a[0] - b[0], a[1] - b[1]);
}

TEST(TsneTest, ClustersStaySeparated) {
  const int64_t n = 90;
  TsneOptions options;
  options.perplexity = 10;
  const std::vector<std::array<float, 2>> map =
      *Tsne(Clouds(n, 5, 3), n, 5, options);
  ASSERT_EQ(map.size(), 90u);
  double widest = 0, gap = INFINITY, x = 0, y = 0;
  for (int64_t i = 0; i < n; ++i) {
    x += map[i][0];
    y += map[i][1];
    for (int64_t j = 0; j < i; ++j) {
      const double distance = Distance(map[i], map[j]);
      if (i % 3 == j % 3) {
        widest = std::max(widest, distance);
      } else {
        gap = std::min(gap, distance);
      }
    }
  }
  EXPECT_GT(widest, 1);  // the clouds are spread, not points
  EXPECT_GT(gap, widest);
  EXPECT_NEAR(x, 0, 1e-2);  // centered
  EXPECT_NEAR(y, 0, 1e-2);
}

TEST(TsneTest, IsDeterministic) {
  const std::vector<float> features = Clouds(50, 4, 2);
  TsneOptions options;
  options.perplexity = 5;
  EXPECT_EQ(*Tsne(features, 50, 4, options), *Tsne(features, 50, 4, options));
}

// Before any step the map is the plane of the principal components: points on
// a line keep their order and proportions.
TEST(TsneTest, StartsFromThePrincipalPlane) {
  TsneOptions options;
  options.perplexity = 2;
  options.iterations = 0;
  const std::vector<float> line = {0, 0, 3, 4, 6, 8, 15, 20, 30, 40};
  const std::vector<std::array<float, 2>> map = *Tsne(line, 5, 2, options);
  const double unit = Distance(map[0], map[1]);
  EXPECT_GT(unit, 0);
  for (const auto& [i, distance] :
       std::vector<std::pair<int, double>>{{2, 2}, {3, 5}, {4, 10}}) {
    EXPECT_NEAR(Distance(map[0], map[i]) / unit, distance, 1e-3);
  }
}

TEST(TsneTest, CollapsedFeaturesGiveOnePoint) {
  TsneOptions options;
  options.perplexity = 3;
  const std::vector<std::array<float, 2>> map =
      *Tsne(std::vector<float>(40, 2.5f), 20, 2, options);
  ASSERT_EQ(map.size(), 20u);
  for (const std::array<float, 2>& point : map) {
    EXPECT_EQ(point, (std::array<float, 2>{0, 0}));
  }
}

TEST(ConditionalAffinitiesTest, EveryRowHasThePerplexity) {
  testing::Test::RecordProperty("seed", static_cast<int>(kSeed));
  std::mt19937 generator(kSeed);
  // Distances over nine orders of magnitude, and one row far from all.
  std::uniform_real_distribution<double> exponent(-4, 5);
  const int n = 40;
  Eigen::MatrixXd squared = Eigen::MatrixXd::Zero(n, n);
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < i; ++j) {
      squared(i, j) = squared(j, i) =
          std::pow(10, exponent(generator)) + (i == n - 1 ? 1e8 : 0);
    }
  }
  for (const double perplexity : {1.5, 8.0, 35.0}) {
    const Eigen::MatrixXd p = ConditionalAffinities(squared, perplexity);
    for (int i = 0; i < n; ++i) {
      double bits = 0;
      for (int j = 0; j < n; ++j) {
        if (p(i, j) > 0) bits -= p(i, j) * std::log2(p(i, j));
      }
      EXPECT_EQ(p(i, i), 0);
      EXPECT_NEAR(p.row(i).sum(), 1, 1e-12);
      EXPECT_NEAR(std::exp2(bits), perplexity, 1e-6) << "row " << i;
    }
  }
}

// Row 0 sees squared distances 1 and 2: p = (1, e^-b) / (1 + e^-b). At
// perplexity 2^H(0.8) that is 0.8 and 0.2, b = ln 4.
TEST(ConditionalAffinitiesTest, TwoNeighborsByHand) {
  Eigen::Matrix3d squared;
  squared << 0, 1, 2, 1, 0, 3, 2, 3, 0;
  const double bits = -0.8 * std::log2(0.8) - 0.2 * std::log2(0.2);
  const Eigen::MatrixXd p = ConditionalAffinities(squared, std::exp2(bits));
  EXPECT_NEAR(p(0, 1), 0.8, 1e-6);
  EXPECT_NEAR(p(0, 2), 0.2, 1e-6);
}

// KL(P || Q) by its definition, equations 4 and 2.
double Divergence(const Eigen::MatrixXd& p, const Eigen::MatrixX2d& layout) {
  const Eigen::Index n = layout.rows();
  auto kernel = [&](Eigen::Index i, Eigen::Index j) {
    return 1 / (1 + (layout.row(i) - layout.row(j)).squaredNorm());
  };
  double total = 0, divergence = 0;
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < n; ++j) {
      if (i != j) total += kernel(i, j);
    }
  }
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < n; ++j) {
      if (i == j) continue;
      divergence += p(i, j) * std::log(p(i, j) * total / kernel(i, j));
    }
  }
  return divergence;
}

TEST(TsneGradientTest, AgreesWithDifferencesOfTheDivergence) {
  testing::Test::RecordProperty("seed", static_cast<int>(kSeed));
  std::mt19937 generator(kSeed);
  std::uniform_real_distribution<double> uniform(0.1, 1);
  const int n = 7;
  Eigen::MatrixXd p(n, n);
  Eigen::MatrixX2d layout(n, 2);
  for (int i = 0; i < n; ++i) {
    layout.row(i) << 3 * uniform(generator), 3 * uniform(generator);
    for (int j = 0; j <= i; ++j) {
      p(i, j) = p(j, i) = i == j ? 0 : uniform(generator);
    }
  }
  p /= p.sum();
  const Eigen::MatrixX2d gradient = TsneGradient(p, layout);
  const double step = 1e-5;  // central differences: error about 1e-10
  for (int i = 0; i < n; ++i) {
    for (int c = 0; c < 2; ++c) {
      Eigen::MatrixX2d moved = layout;
      moved(i, c) += step;
      const double above = Divergence(p, moved);
      moved(i, c) -= 2 * step;
      const double below = Divergence(p, moved);
      EXPECT_NEAR(gradient(i, c), (above - below) / (2 * step), 1e-8);
    }
  }
  EXPECT_GT(gradient.norm(), 0.01);
}

TEST(TsneTest, NamesWhatIsWrong) {
  const std::vector<float> x(12, 1.0f);
  TsneOptions options;
  options.perplexity = 2;
  auto message = [&](std::vector<float> features, int64_t n, int64_t d) {
    const absl::Status status = Tsne(features, n, d, options).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  EXPECT_EQ(message(x, 3, 4),
            "t-SNE of 3 points of width 4; needs at least 4 and 1");
  EXPECT_EQ(message(x, 5, 2), "t-SNE got 12 numbers; 5 x 2 is 10");
  EXPECT_EQ(message({1, 2, 3, NAN}, 4, 1),
            "t-SNE features hold a NaN or an infinity");
  options.perplexity = 5;
  EXPECT_EQ(message(x, 6, 2),
            "perplexity is 5; 6 points allow values between 1 and 5");
  options.perplexity = 2;
  options.iterations = -1;
  EXPECT_EQ(message(x, 6, 2), "iterations is -1; need 0 or more");
}

}  // namespace
}  // namespace gsg

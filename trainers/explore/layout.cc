#include "trainers/explore/layout.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "Eigen/Core"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "trainers/explore/features.h"
#include "trainers/explore/neighbors.h"

namespace gsg {
namespace {

using Places = std::vector<std::array<float, 2>>;

constexpr int kNegatives = 5;     // UMAP's negative_sample_rate
constexpr float kMaxStep = 4;     // UMAP's clip of a gradient
constexpr float kStartSide = 10;  // of the first layout
constexpr int64_t kPlaneSample = 5000;

struct Edge {
  int32_t from;
  int32_t to;
  float weight;  // 0 .. 1
};

// For each image the bandwidth with which its neighbors' memberships add up to
// log2(k); UMAP's algorithm 3. Distances are 1 - cosine.
double Bandwidth(absl::Span<const float> cosines, double nearest) {
  const double target = std::log2(static_cast<double>(cosines.size()));
  double low = 0, high = INFINITY, sigma = 1;
  for (int step = 0; step < 64; ++step) {
    double sum = 0;
    for (const float cosine : cosines) {
      sum += std::exp(-std::max(0., 1 - cosine - nearest) / sigma);
    }
    if (std::abs(sum - target) < 1e-5) break;
    (sum > target ? high : low) = sigma;
    sigma = std::isinf(high) ? 2 * sigma : (low + high) / 2;
  }
  // Among copies of one picture, memberships are 1 anyway.
  return std::max(sigma, 1e-6);
}

// The graph, with w = a + b - a b of the memberships in both directions.
std::vector<Edge> Graph(const Neighbors& neighbors) {
  std::vector<Edge> edges;
  edges.reserve(2 * neighbors.n * neighbors.k);
  for (int64_t i = 0; i < neighbors.n; ++i) {
    const absl::Span<const float> cosines = neighbors.cosines_of(i);
    const double nearest = 1 - cosines[0];
    const double sigma = Bandwidth(cosines, nearest);
    for (int64_t k = 0; k < neighbors.k; ++k) {
      const auto membership = static_cast<float>(
          std::exp(-std::max(0., 1 - cosines[k] - nearest) / sigma));
      const auto a = static_cast<int32_t>(i);
      const int32_t b = neighbors.of(i)[k];
      edges.push_back({std::min(a, b), std::max(a, b), membership});
    }
  }
  std::sort(edges.begin(), edges.end(), [](const Edge& x, const Edge& y) {
    return x.from != y.from ? x.from < y.from : x.to < y.to;
  });
  size_t kept = 0;
  for (size_t e = 0; e < edges.size(); ++e) {
    if (kept > 0 && edges[kept - 1].from == edges[e].from &&
        edges[kept - 1].to == edges[e].to) {
      float& weight = edges[kept - 1].weight;
      weight += edges[e].weight - weight * edges[e].weight;
    } else {
      edges[kept++] = edges[e];
    }
  }
  edges.resize(kept);
  return edges;
}

// In -1 .. 1.
float Jitter(std::mt19937_64* random) {
  return static_cast<float>(static_cast<int64_t>((*random)() >> 40)) *
             0x1p-23f -
         1;
}

Places PrincipalPlane(const UnitRows& rows, std::mt19937_64* random) {
  using Matrix =
      Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const int64_t count = std::min(rows.n, kPlaneSample);
  Matrix sample(count, rows.d);
  for (int64_t i = 0; i < count; ++i) {
    sample.row(i) = Eigen::Map<const Eigen::RowVectorXf>(
        rows.row(i * rows.n / count).data(), rows.d);
  }
  const Eigen::RowVectorXf mean = sample.colwise().mean();
  sample.rowwise() -= mean;
  // Orthogonal iteration: a start needs a few digits only.
  Matrix basis(rows.d, 2);
  for (int64_t c = 0; c < rows.d; ++c) {
    basis(c, 0) = Jitter(random);
    basis(c, 1) = Jitter(random);
  }
  for (int i = 0; i < 30; ++i) {
    basis = (sample.transpose() * (sample * basis).eval()).eval();
    basis.col(0).normalize();
    basis.col(1) -= basis.col(0).dot(basis.col(1)) * basis.col(0);
    basis.col(1).normalize();
  }
  if (!basis.allFinite()) basis.setZero();  // all images are the same
  Places places(rows.n);
  float largest = 1e-30f;
  for (int64_t i = 0; i < rows.n; ++i) {
    const Eigen::RowVector2f at =
        (Eigen::Map<const Eigen::RowVectorXf>(rows.row(i).data(), rows.d) -
         mean) *
        basis;
    places[i] = {at(0), at(1)};
    largest = std::max({largest, std::abs(at(0)), std::abs(at(1))});
  }
  for (auto& [x, y] : places) {
    // Apart, for copies could not be told apart otherwise.
    x = kStartSide * x / largest + 0.01f * Jitter(random);
    y = kStartSide * y / largest + 0.01f * Jitter(random);
  }
  return places;
}

// Moves a towards b (factor < 0) or away from it, and b the other way if it
// `yields`.
void Move(float factor, float rate, bool yields, std::array<float, 2>* a,
          std::array<float, 2>* b) {
  for (int c = 0; c < 2; ++c) {
    const float step =
        rate * std::clamp(factor * ((*a)[c] - (*b)[c]), -kMaxStep, kMaxStep);
    (*a)[c] += step;
    if (yields) (*b)[c] -= step;
  }
}

float SquaredDistance(const std::array<float, 2>& a,
                      const std::array<float, 2>& b) {
  return (a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]);
}

}  // namespace

absl::StatusOr<Places> MapLayout(const UnitRows& rows,
                                 const Neighbors& neighbors,
                                 const LayoutOptions& options, Watch watch) {
  if (rows.n != neighbors.n) {
    return absl::InvalidArgumentError(
        absl::StrCat("there are ", rows.n, " rows of features; of neighbors ",
                     neighbors.n));
  }
  std::mt19937_64 random(options.seed);
  Places places = PrincipalPlane(rows, &random);
  const std::vector<Edge> edges = Graph(neighbors);
  float largest = 0;
  for (const Edge& edge : edges) largest = std::max(largest, edge.weight);
  const int epochs = options.epochs > 0 ? options.epochs
                     : rows.n <= 10000  ? 500
                                        : 200;
  // An edge acts in as many of the epochs as its weight says.
  std::vector<float> due(edges.size());
  for (size_t e = 0; e < edges.size(); ++e) {
    due[e] = largest / edges[e].weight;
  }
  for (int epoch = 0; epoch < epochs; ++epoch) {
    if (!watch(epoch, epochs)) return absl::CancelledError("interrupted");
    const float rate = 1 - static_cast<float>(epoch) / epochs;
    for (size_t e = 0; e < edges.size(); ++e) {
      if (due[e] > epoch + 1) continue;
      due[e] += largest / edges[e].weight;
      std::array<float, 2>* ends[] = {&places[edges[e].from],
                                      &places[edges[e].to]};
      const float square = SquaredDistance(*ends[0], *ends[1]);
      Move(-2 / (1 + square), rate, /*yields=*/true, ends[0], ends[1]);
      // UMAP has each edge twice, once from each end.
      for (std::array<float, 2>* end : ends) {
        for (int k = 0; k < kNegatives; ++k) {
          const auto other = static_cast<size_t>(
              (random() >> 32) * static_cast<uint64_t>(rows.n) >> 32);
          std::array<float, 2>* away = &places[other];
          if (away == end) continue;
          const float apart = SquaredDistance(*end, *away);
          Move(2 / ((0.001f + apart) * (1 + apart)), rate, /*yields=*/false,
               end, away);
        }
      }
    }
  }
  return places;
}

}  // namespace gsg

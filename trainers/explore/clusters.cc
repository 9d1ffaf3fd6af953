#include "trainers/explore/clusters.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "Eigen/Core"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gsg_core/status_macros.h"
#include "trainers/explore/features.h"

namespace gsg {
namespace {

constexpr int64_t kBlock = 4096;
constexpr int64_t kChoiceSample = 3000;
// A choice takes less care than the clusters themselves.
constexpr int kChoiceStarts = 2;
constexpr int kChoiceIterations = 20;
constexpr int64_t kSilhouetteSample = 2000;

using RowMap = Eigen::Map<Eigen::RowVectorXf>;
using ConstRowMap = Eigen::Map<const Eigen::RowVectorXf>;

// `count` of 0 .. n - 1 at even distances.
std::vector<int64_t> Spread(int64_t n, int64_t count) {
  count = std::min(n, count);
  std::vector<int64_t> picked(count);
  for (int64_t i = 0; i < count; ++i) picked[i] = i * n / count;
  return picked;
}

UnitRows Take(const UnitRows& rows, absl::Span<const int64_t> picked) {
  UnitRows part;
  part.n = static_cast<int64_t>(picked.size());
  part.d = rows.d;
  part.values.reserve(part.n * part.d);
  for (const int64_t i : picked) {
    const absl::Span<const float> row = rows.row(i);
    part.values.insert(part.values.end(), row.begin(), row.end());
  }
  return part;
}

// In 0 .. 1, from the generator's bits alone: the same with every library.
double Uniform(std::mt19937_64* random) {
  return static_cast<double>((*random)() >> 11) * 0x1p-53;
}

// The next center is an image with a probability that grows with its distance
// to the nearest center so far. For unit rows 1 - cosine is half the squared
// Euclidean distance that k-means++ takes.
std::vector<float> FirstCenters(const UnitRows& rows, int64_t k,
                                std::mt19937_64* random) {
  std::vector<float> centers;
  centers.reserve(k * rows.d);
  std::vector<double> nearest(rows.n, std::numeric_limits<double>::infinity());
  int64_t chosen = std::min<int64_t>(
      static_cast<int64_t>(Uniform(random) * rows.n), rows.n - 1);
  for (int64_t c = 0; c < k; ++c) {
    const absl::Span<const float> center = rows.row(chosen);
    centers.insert(centers.end(), center.begin(), center.end());
    const ConstRowMap direction(center.data(), rows.d);
    double total = 0;
    for (int64_t i = 0; i < rows.n; ++i) {
      const double distance =
          1 - direction.dot(ConstRowMap(rows.row(i).data(), rows.d));
      nearest[i] = std::max(0., std::min(nearest[i], distance));
      total += nearest[i];
    }
    // All images are centers, or copies of one: any will do.
    double left = Uniform(random) * total;
    chosen = (chosen + 1) % rows.n;
    if (total <= 0) continue;
    for (int64_t i = 0; i < rows.n; ++i) {
      left -= nearest[i];
      if (nearest[i] > 0) chosen = i;
      if (left < 0) break;
    }
  }
  return centers;
}

void Assign(const UnitRows& rows, const Product& product, Clusters* clusters) {
  clusters->cluster.resize(rows.n);
  clusters->distance.resize(rows.n);
  std::vector<float> cosines(std::min(kBlock, rows.n) * clusters->k);
  for (int64_t first = 0; first < rows.n; first += kBlock) {
    const int64_t count = std::min(kBlock, rows.n - first);
    product(rows.values.data() + first * rows.d, count,
            clusters->centers.data(), clusters->k, rows.d, cosines.data());
    for (int64_t i = 0; i < count; ++i) {
      int64_t best = 0;
      const float cosine =
          ConstRowMap(cosines.data() + i * clusters->k, clusters->k)
              .maxCoeff(&best);
      clusters->cluster[first + i] = static_cast<int32_t>(best);
      clusters->distance[first + i] = std::max(0.f, 1 - cosine);
    }
  }
}

// Centers at the mean directions of their images.
void MoveCenters(const UnitRows& rows, Clusters* clusters) {
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> sums =
      Eigen::MatrixXd::Zero(clusters->k, rows.d);
  std::vector<int64_t> counts(clusters->k);
  for (int64_t i = 0; i < rows.n; ++i) {
    const int32_t c = clusters->cluster[i];
    sums.row(c) += ConstRowMap(rows.row(i).data(), rows.d).cast<double>();
    ++counts[c];
  }
  for (int64_t c = 0; c < clusters->k; ++c) {
    RowMap center(clusters->centers.data() + c * rows.d, rows.d);
    if (counts[c] == 0) {
      const auto farthest = std::max_element(clusters->distance.begin(),
                                             clusters->distance.end());
      const int64_t i = farthest - clusters->distance.begin();
      center = ConstRowMap(rows.row(i).data(), rows.d);
      *farthest = 0;  // not for the next empty one, too
      continue;
    }
    const double length = sums.row(c).norm();
    // Images on opposite sides: every center is as good.
    if (length > 0) center = (sums.row(c) / length).cast<float>();
  }
}

absl::Status Iterate(const UnitRows& rows, int iterations,
                     const Product& product, Watch watch, Clusters* clusters) {
  Assign(rows, product, clusters);
  for (int i = 0; i < iterations; ++i) {
    if (!watch(i, iterations)) return absl::CancelledError("interrupted");
    const std::vector<int32_t> before = clusters->cluster;
    MoveCenters(rows, clusters);
    Assign(rows, product, clusters);
    if (clusters->cluster == before) break;
  }
  return absl::OkStatus();
}

absl::StatusOr<Clusters> BestStart(const UnitRows& rows, int64_t k,
                                   const ClusterOptions& options,
                                   const Product& product, Watch watch) {
  Clusters best;
  for (int start = 0; start < options.starts; ++start) {
    std::mt19937_64 random(options.seed + start);
    Clusters clusters;
    clusters.k = k;
    clusters.centers = FirstCenters(rows, k, &random);
    const auto whole = [&](int64_t done, int64_t all) {
      return watch(start * all + done, options.starts * all);
    };
    GSG_RETURN_IF_ERROR(
        Iterate(rows, options.iterations, product, whole, &clusters));
    if (start == 0 || clusters.cost() < best.cost()) best = std::move(clusters);
  }
  return best;
}

void NumberBySize(int64_t d, Clusters* clusters) {
  std::vector<int64_t> sizes(clusters->k);
  for (const int32_t c : clusters->cluster) ++sizes[c];
  std::vector<int32_t> order(clusters->k), number(clusters->k);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return sizes[a] > sizes[b]; });
  std::vector<float> centers;
  centers.reserve(clusters->centers.size());
  for (int64_t c = 0; c < clusters->k; ++c) {
    number[order[c]] = static_cast<int32_t>(c);
    const auto begin = clusters->centers.begin() + order[c] * d;
    centers.insert(centers.end(), begin, begin + d);
  }
  clusters->centers = std::move(centers);
  for (int32_t& c : clusters->cluster) c = number[c];
}

}  // namespace

double Clusters::cost() const {
  return std::accumulate(distance.begin(), distance.end(), 0.);
}

std::vector<std::vector<int32_t>> Clusters::Members() const {
  std::vector<std::vector<int32_t>> members(k);
  for (size_t i = 0; i < cluster.size(); ++i) {
    members[cluster[i]].push_back(static_cast<int32_t>(i));
  }
  for (std::vector<int32_t>& of : members) {
    std::stable_sort(of.begin(), of.end(), [&](int32_t a, int32_t b) {
      return distance[a] < distance[b];
    });
  }
  return members;
}

absl::StatusOr<Clusters> FindClusters(const UnitRows& rows, int64_t k,
                                      const ClusterOptions& options,
                                      const Product& product, Watch watch) {
  if (k < 1 || k > rows.n) {
    return absl::InvalidArgumentError(
        absl::StrCat(k, " clusters of ", rows.n, " images: there must be ",
                     "at least one, and no more than images"));
  }
  Clusters clusters;
  if (rows.n > options.sample && k <= options.sample) {
    const UnitRows sample = Take(rows, Spread(rows.n, options.sample));
    GSG_ASSIGN_OR_RETURN(clusters,
                         BestStart(sample, k, options, product, watch));
    GSG_RETURN_IF_ERROR(
        Iterate(rows, options.iterations, product, watch, &clusters));
  } else {
    GSG_ASSIGN_OR_RETURN(clusters, BestStart(rows, k, options, product, watch));
  }
  NumberBySize(rows.d, &clusters);
  clusters.silhouette = Silhouette(rows, clusters.cluster,
                                   Spread(rows.n, kSilhouetteSample), product);
  return clusters;
}

absl::StatusOr<int64_t> ChooseClusterCount(const UnitRows& rows,
                                           const ClusterOptions& options,
                                           const Product& product,
                                           Watch watch) {
  constexpr int64_t kCounts[] = {2,  3,  4,  5,  6,  8,  10,
                                 12, 15, 20, 25, 30, 40, 50};
  const UnitRows sample = Take(rows, Spread(rows.n, kChoiceSample));
  const std::vector<int64_t> judges = Spread(sample.n, kSilhouetteSample);
  ClusterOptions quick = options;
  quick.starts = std::min(options.starts, kChoiceStarts);
  quick.iterations = std::min(options.iterations, kChoiceIterations);
  int64_t best = 1;
  double highest = -std::numeric_limits<double>::infinity();
  int64_t tried = 0;
  for (const int64_t k : kCounts) {
    if (4 * k > sample.n) break;
    if (!watch(tried++, std::size(kCounts))) {
      return absl::CancelledError("interrupted");
    }
    GSG_ASSIGN_OR_RETURN(const Clusters clusters,
                         BestStart(sample, k, quick, product, NoWatch));
    const double silhouette =
        Silhouette(sample, clusters.cluster, judges, product);
    if (silhouette > highest) {
      highest = silhouette;
      best = k;
    }
  }
  return best;
}

double Silhouette(const UnitRows& rows, absl::Span<const int32_t> cluster,
                  absl::Span<const int64_t> of, const Product& product) {
  const UnitRows sample = Take(rows, of);
  const int64_t n = sample.n;
  std::vector<int32_t> own(n);
  for (int64_t i = 0; i < n; ++i) own[i] = cluster[of[i]];
  const int64_t k = n == 0 ? 0 : *std::max_element(own.begin(), own.end()) + 1;
  std::vector<int64_t> counts(k);
  for (const int32_t c : own) ++counts[c];
  if (std::count_if(counts.begin(), counts.end(),
                    [](int64_t count) { return count > 0; }) < 2) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  std::vector<float> cosines(n * n);
  product(sample.values.data(), n, sample.values.data(), n, sample.d,
          cosines.data());
  double total = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (counts[own[i]] == 1) continue;
    std::vector<double> sums(k);
    for (int64_t j = 0; j < n; ++j) {
      if (j != i) sums[own[j]] += 1. - cosines[i * n + j];
    }
    const double a =
        std::max(0., sums[own[i]] / static_cast<double>(counts[own[i]] - 1));
    double b = std::numeric_limits<double>::infinity();
    for (int64_t c = 0; c < k; ++c) {
      if (c != own[i] && counts[c] > 0) {
        b = std::min(b, std::max(0., sums[c] / static_cast<double>(counts[c])));
      }
    }
    const double larger = std::max(a, b);
    if (larger > 0) total += (b - a) / larger;
  }
  return total / static_cast<double>(n);
}

}  // namespace gsg

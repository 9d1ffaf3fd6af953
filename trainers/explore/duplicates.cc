#include "trainers/explore/duplicates.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "Eigen/Core"
#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "trainers/explore/features.h"
#include "trainers/explore/neighbors.h"

namespace gsg {
namespace {

// Two computations of one picture's features agree to this.
constexpr double kRounding = 1e-6;
constexpr double kLowest = 0.8;
constexpr double kHighest = 0.9999;

double Median(std::vector<double>* values) {
  const auto middle = values->begin() + values->size() / 2;
  std::nth_element(values->begin(), middle, values->end());
  return *middle;
}

double Cosine(const UnitRows& rows, int64_t a, int64_t b) {
  const Eigen::Map<const Eigen::VectorXf> x(rows.row(a).data(), rows.d);
  const Eigen::Map<const Eigen::VectorXf> y(rows.row(b).data(), rows.d);
  return x.dot(y);
}

// The proposed pairs, seen from both ends.
class Pairs {
 public:
  Pairs(int64_t n, absl::Span<const ProposedPairs> proposed) : begins_(n + 1) {
    const auto each = [&](auto&& visit) {
      for (const auto& [neighbors, threshold] : proposed) {
        for (int64_t i = 0; i < n; ++i) {
          for (int64_t k = 0; k < neighbors->k; ++k) {
            if (neighbors->cosines_of(i)[k] < threshold) break;
            visit(i, neighbors->of(i)[k]);
          }
        }
      }
    };
    each([&](int64_t i, int64_t j) {
      ++begins_[i + 1];
      ++begins_[j + 1];
    });
    for (int64_t i = 0; i < n; ++i) begins_[i + 1] += begins_[i];
    others_.resize(begins_[n]);
    std::vector<int64_t> next(begins_.begin(), begins_.end() - 1);
    each([&](int64_t i, int64_t j) {
      others_[next[i]++] = static_cast<int32_t>(j);
      others_[next[j]++] = static_cast<int32_t>(i);
    });
  }

  template <typename Visit>
  void Of(int64_t i, Visit visit) const {
    for (int64_t p = begins_[i]; p < begins_[i + 1]; ++p) visit(others_[p]);
  }

 private:
  std::vector<int64_t> begins_;
  std::vector<int32_t> others_;
};

}  // namespace

double DuplicateThreshold(const Neighbors& neighbors, double deviations) {
  std::vector<double> hill;
  for (int64_t i = 0; i < neighbors.n; ++i) {
    const double distance = 1 - neighbors.cosines_of(i)[0];
    if (distance > kRounding) hill.push_back(-std::log(distance));
  }
  if (hill.empty()) return kHighest;
  const double middle = Median(&hill);
  for (double& value : hill) value = std::abs(value - middle);
  const double deviation = 1.4826 * Median(&hill);
  return std::clamp(1 - std::exp(-middle - deviations * deviation), kLowest,
                    kHighest);
}

std::vector<DuplicateGroup> FindDuplicates(
    const UnitRows& rows, absl::Span<const ProposedPairs> proposed,
    double least,
    absl::FunctionRef<bool(int64_t first, int64_t candidate)> may_join) {
  const Pairs pairs(rows.n, proposed);
  std::vector<bool> grouped(rows.n);
  // The first that asked for an image, plus 1: it is asked once for each.
  std::vector<int32_t> asked(rows.n);
  std::vector<DuplicateGroup> groups;
  std::vector<int64_t> open;
  for (int64_t first = 0; first < rows.n; ++first) {
    if (grouped[first]) continue;
    DuplicateGroup group;
    group.members.push_back({first, 1});
    asked[first] = static_cast<int32_t>(first + 1);
    open = {first};
    while (!open.empty()) {
      const int64_t at = open.back();
      open.pop_back();
      pairs.Of(at, [&](int64_t candidate) {
        if (grouped[candidate] || asked[candidate] == first + 1) return;
        asked[candidate] = static_cast<int32_t>(first + 1);
        const double cosine = Cosine(rows, first, candidate);
        // The pairs' cosines may have been rounded otherwise.
        if (cosine < least - kRounding || !may_join(first, candidate)) {
          return;
        }
        grouped[candidate] = true;
        group.members.push_back(
            {candidate, static_cast<float>(std::min(cosine, 1.))});
        open.push_back(candidate);
      });
    }
    if (group.members.size() < 2) continue;
    std::sort(group.members.begin() + 1, group.members.end(),
              [](const auto& a, const auto& b) {
                return a.cosine != b.cosine ? a.cosine > b.cosine
                                            : a.index < b.index;
              });
    groups.push_back(std::move(group));
  }
  return groups;
}

std::vector<int64_t> NearestHistogram(const Neighbors& neighbors, int bins,
                                      double decades) {
  std::vector<int64_t> counts(bins);
  for (int64_t i = 0; i < neighbors.n; ++i) {
    const double distance = 1. - neighbors.cosines_of(i)[0];
    // Infinite for 1 itself.
    const double place = -std::log10(distance) / decades * bins;
    ++counts[place < 0 ? 0 : place < bins ? static_cast<int>(place) : bins - 1];
  }
  return counts;
}

}  // namespace gsg

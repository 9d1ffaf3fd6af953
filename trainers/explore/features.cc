#include "trainers/explore/features.h"

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "Eigen/Core"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

namespace gsg {

std::vector<double> MeanRow(absl::Span<const float> values, int64_t d) {
  std::vector<double> mean(d);
  const int64_t n = static_cast<int64_t>(values.size()) / d;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t c = 0; c < d; ++c) mean[c] += values[i * d + c];
  }
  for (double& value : mean) value /= static_cast<double>(n);
  return mean;
}

absl::StatusOr<UnitRows> Normalize(std::vector<float> values, int64_t d,
                                   absl::Span<const double> mean) {
  if (d < 1 || values.size() % d != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        values.size(), " values are not rows of ", d, " features"));
  }
  if (!mean.empty() && static_cast<int64_t>(mean.size()) != d) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the mean has ", mean.size(), " values; the rows have ", d));
  }
  UnitRows rows;
  rows.d = d;
  rows.n = static_cast<int64_t>(values.size()) / d;
  for (int64_t i = 0; i < rows.n; ++i) {
    float* row = values.data() + i * d;
    // In double: no float32 row overflows there.
    double square = 0, size = 0;
    for (int64_t c = 0; c < d; ++c) {
      if (!std::isfinite(row[c])) {
        return absl::InvalidArgumentError(absl::StrCat(
            "row ", i, " of the features holds a value that is not finite"));
      }
      const double centered = row[c] - (mean.empty() ? 0 : mean[c]);
      square += centered * centered;
      size += static_cast<double>(row[c]) * row[c];
    }
    // What is left of a row that equals the mean is rounding.
    const bool zero = square <= 1e-12 * size || square == 0;
    const double scale = zero ? 0 : 1 / std::sqrt(square);
    for (int64_t c = 0; c < d; ++c) {
      row[c] =
          static_cast<float>((row[c] - (mean.empty() ? 0 : mean[c])) * scale);
    }
  }
  rows.values = std::move(values);
  return rows;
}

void EigenProduct(const float* a, int64_t m, const float* b, int64_t n,
                  int64_t d, float* c) {
  using Matrix =
      Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Eigen::Map<Matrix>(c, m, n).noalias() =
      Eigen::Map<const Matrix>(a, m, d) *
      Eigen::Map<const Matrix>(b, n, d).transpose();
}

}  // namespace gsg

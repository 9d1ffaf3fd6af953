// Rows of features on the unit sphere, and what is computed with them.

#ifndef GSG_TRAINERS_EXPLORE_FEATURES_H_
#define GSG_TRAINERS_EXPLORE_FEATURES_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace gsg {

// [n, d] float32, row-major. After Normalize every row has length 1, or is 0.
struct UnitRows {
  int64_t n = 0;
  int64_t d = 0;
  std::vector<float> values;  // n * d

  absl::Span<const float> row(int64_t i) const {
    return absl::MakeConstSpan(values).subspan(i * d, d);
  }
};

// The mean of the rows, [d], in double.
std::vector<double> MeanRow(absl::Span<const float> values, int64_t d);

// Subtracts `mean` ([d], or empty for none) from each row of `values` and
// divides it by its length, in place: the dot product of two rows is then their
// cosine. Features of a network that ends in a ReLU are all positive and so
// have cosines near 1; after subtracting their mean they spread over -1 .. 1.
// A row that is the mean itself becomes 0; its cosine to every row is 0.
// Errors: kInvalidArgument if the size is not a multiple of d, d < 1, or a
// value is not finite (names the row, counted from 0).
absl::StatusOr<UnitRows> Normalize(std::vector<float> values, int64_t d,
                                   absl::Span<const double> mean);

// c [m, n] = a [m, d] b [n, d]^T, all row-major float32.
using Product = std::function<void(const float* a, int64_t m, const float* b,
                                   int64_t n, int64_t d, float* c)>;

// By Eigen, on one thread. A program that has a faster one gives that.
void EigenProduct(const float* a, int64_t m, const float* b, int64_t n,
                  int64_t d, float* c);

// Called between blocks of work with how much of it is done. False: stop; the
// function that called it returns kCancelled.
using Watch = absl::FunctionRef<bool(int64_t done, int64_t all)>;

// For those who neither watch nor stop.
inline bool NoWatch(int64_t /*done*/, int64_t /*all*/) { return true; }

}  // namespace gsg

#endif  // GSG_TRAINERS_EXPLORE_FEATURES_H_

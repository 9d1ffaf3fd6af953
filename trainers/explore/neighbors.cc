#include "trainers/explore/neighbors.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "Eigen/Core"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gsg_core/executor.h"
#include "trainers/explore/features.h"

namespace gsg {
namespace {

// A block of cosines: 2,048 x 2,048 float32 are 16 MiB. Threads wait for each
// other after each block: small ones cost more of that.
constexpr int64_t kQueryBlock = 2048;
constexpr int64_t kBankBlock = 2048;
// Cosines that are looked at together: most hold none that is near enough.
constexpr int64_t kChunk = 64;

// The k best so far of one query, best first, in the result's own memory.
class Best {
 public:
  Best(int32_t* indices, float* cosines, int64_t k)
      : indices_(indices), cosines_(cosines), k_(k) {}

  float worst() const { return cosines_[k_ - 1]; }

  // Rows come in ascending order, so that of equal ones the first stays ahead.
  void Offer(int32_t index, float cosine) {
    if (!(cosine > worst())) return;
    int64_t place = k_ - 1;
    for (; place > 0 && cosine > cosines_[place - 1]; --place) {
      cosines_[place] = cosines_[place - 1];
      indices_[place] = indices_[place - 1];
    }
    cosines_[place] = cosine;
    indices_[place] = index;
  }

 private:
  int32_t* const indices_;
  float* const cosines_;
  const int64_t k_;
};

void Scan(const float* cosines, int64_t count, int64_t first, int64_t self,
          Best best) {
  for (int64_t begin = 0; begin < count; begin += kChunk) {
    const int64_t end = std::min(begin + kChunk, count);
    const float highest =
        Eigen::Map<const Eigen::ArrayXf>(cosines + begin, end - begin)
            .maxCoeff();
    if (!(highest > best.worst())) continue;
    for (int64_t j = begin; j < end; ++j) {
      if (first + j != self) {
        best.Offer(static_cast<int32_t>(first + j), cosines[j]);
      }
    }
  }
}

}  // namespace

Neighbors Neighbors::First(int64_t count) const {
  Neighbors first;
  first.n = n;
  first.k = std::min(k, count);
  first.indices.reserve(n * first.k);
  first.cosines.reserve(n * first.k);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < first.k; ++j) {
      first.indices.push_back(of(i)[j]);
      first.cosines.push_back(cosines_of(i)[j]);
    }
  }
  return first;
}

absl::StatusOr<Neighbors> FindNeighbors(const UnitRows& bank,
                                        const UnitRows& queries, int64_t k,
                                        bool themselves, const Product& product,
                                        Executor& executor, Watch watch) {
  if (bank.d != queries.d) {
    return absl::InvalidArgumentError(
        absl::StrCat("the images to search have ", bank.d,
                     " features each; those to search for ", queries.d));
  }
  if (k < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("k is ", k, "; at least 1 neighbor is needed"));
  }
  const int64_t available = bank.n - (themselves ? 1 : 0);
  if (available < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("there are ", bank.n, " images; neighbors take at least ",
                     themselves ? 2 : 1));
  }
  if (bank.n > std::numeric_limits<int32_t>::max()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there are ", bank.n, " images; 2^31 - 1 are the most"));
  }
  Neighbors result;
  result.n = queries.n;
  result.k = std::min(k, available);
  result.indices.assign(result.n * result.k, 0);
  // Below every cosine.
  result.cosines.assign(result.n * result.k, -2);
  std::vector<float> block(std::min(kQueryBlock, queries.n) *
                           std::min(kBankBlock, bank.n));
  for (int64_t q = 0; q < queries.n; q += kQueryBlock) {
    const int64_t m = std::min(kQueryBlock, queries.n - q);
    for (int64_t b = 0; b < bank.n; b += kBankBlock) {
      if (!watch(q, queries.n)) return absl::CancelledError("interrupted");
      const int64_t n = std::min(kBankBlock, bank.n - b);
      product(queries.values.data() + q * bank.d, m,
              bank.values.data() + b * bank.d, n, bank.d, block.data());
      executor.ParallelFor(m, [&](int64_t i) {
        Scan(block.data() + i * n, n, b, themselves ? q + i : -1,
             Best(result.indices.data() + (q + i) * result.k,
                  result.cosines.data() + (q + i) * result.k, result.k));
      });
    }
  }
  watch(queries.n, queries.n);
  // Rounding leads beyond 1.
  for (float& cosine : result.cosines) {
    cosine = std::min(1.f, std::max(-1.f, cosine));
  }
  return result;
}

}  // namespace gsg

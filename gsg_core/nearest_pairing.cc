// SPDX-License-Identifier: Apache-2.0
#include "gsg_core/nearest_pairing.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gsg_core/config.h"
#include "gsg_core/distances/list.h"
#include "gsg_core/half.h"
#include "gsg_core/internal/blocks.h"
#include "gsg_core/internal/checks.h"
#include "gsg_core/internal/memory.h"
#include "gsg_core/internal/row_distances.h"
#include "gsg_core/random.h"
#include "gsg_core/rows.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace {

using core_internal::NamedRows;

absl::Status CheckCandidates(int64_t candidates, int64_t n) {
  if (candidates >= 1 && candidates < n) return absl::OkStatus();
  if (n < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("a nearest pairing of n = ", n,
                     " images does not exist: each image needs another one as "
                     "its second image, so n must be at least 2"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("candidates is ", candidates, "; there are ", n,
                   " images, and it must be at least 1 and less than that"));
}

// Candidates of one row after another.
class CandidateDraw {
 public:
  CandidateDraw(int64_t n, int64_t candidates, uint64_t seed)
      : n_(n), candidates_(candidates), seed_(seed), drawn_(n, false) {}

  // The candidates of row i, ascending, until the next call. A uniform subset
  // of the n - 1 others by Floyd's algorithm (Bentley & Floyd, CACM 1987),
  // whose draws are numbered within the row.
  absl::Span<const int64_t> Of(int64_t i) {
    uint64_t index = static_cast<uint64_t>(i) << 32;
    set_.clear();
    for (int64_t last = n_ - 1 - candidates_; last < n_ - 1; ++last) {
      const int64_t k = static_cast<int64_t>(
          UniformBelow(static_cast<uint64_t>(last + 1), seed_,
                       RandomStream::kCandidates, &index));
      const int64_t chosen = drawn_[k] ? last : k;
      drawn_[chosen] = true;
      set_.push_back(chosen);
    }
    for (const int64_t k : set_) drawn_[k] = false;
    std::sort(set_.begin(), set_.end());
    for (int64_t& k : set_) k += k >= i;  // of the others, to an image
    return set_;
  }

 private:
  const int64_t n_;
  const int64_t candidates_;
  const uint64_t seed_;
  std::vector<bool> drawn_;
  std::vector<int64_t> set_;
};

// The arguments as errors call them; the roles may be the same matrices.
template <typename T>
absl::StatusOr<std::vector<int64_t>> Nearest(
    absl::Span<const NamedRows<T>> first, absl::Span<const NamedRows<T>> second,
    absl::Span<const NamedRows<T>> all, const NearestOptions& options) {
  if (!distances::List::Visit(options.distance, [](auto) {})) {
    return absl::InvalidArgumentError(
        absl::StrCat("distance is ", static_cast<int>(options.distance),
                     ", which is not one of its enumerators"));
  }
  absl::Status status = core_internal::CheckShapes<T>(all);
  const int64_t n = all.front().rows.rows();
  if (status.ok()) status = CheckCandidates(options.candidates, n);
  if (!status.ok()) return status;

  core_internal::RowDistances<T> row(options.distance, all.front().rows.cols());
  std::vector<int64_t> pairing(n);
  core_internal::ForBlocks(
      options.executor, n, [&](int64_t begin, int64_t end) {
        CandidateDraw draw(n, options.candidates, options.seed);
        for (int64_t i = begin; i < end; ++i) {
          // An image that is nobody's candidate is not looked at otherwise.
          for (const NamedRows<T>& view : second)
            row.NoteFinite(view.rows.row(i));
          typename core_internal::RowDistances<T>::Real least = 0;
          pairing[i] = -1;
          for (const int64_t j : draw.Of(i)) {
            const T* const z[4] = {first[0].rows.row(i), first[1].rows.row(i),
                                   second[0].rows.row(j),
                                   second[1].rows.row(j)};
            typename core_internal::RowDistances<T>::Real distances[4] = {};
            row.Compute(z, z, distances);
            const auto closest = *std::min_element(distances, distances + 4);
            if (pairing[i] == -1 || closest < least) {
              least = closest;
              pairing[i] = j;
            }
          }
        }
      });
  if (row.saw_non_finite()) {
    status = core_internal::CheckFinite<T>(all);
    if (!status.ok()) return status;
  }
  return pairing;
}

}  // namespace

namespace core_internal {

template <typename T>
absl::StatusOr<std::vector<int64_t>> NearestOfFour(
    const Rows<const T> (&z)[4], const NearestOptions& options) {
  const NamedRows<T> all[] = {
      {"z11", z[0]}, {"z12", z[1]}, {"z21", z[2]}, {"z22", z[3]}};
  const absl::Span<const NamedRows<T>> span(all);
  return Nearest<T>(span.first(2), span.last(2), span, options);
}

template <typename T>
absl::StatusOr<std::vector<int64_t>> NearestOfShared(
    const Rows<const T> (&z)[2], const NearestOptions& options) {
  const NamedRows<T> all[] = {{"z1", z[0]}, {"z2", z[1]}};
  return Nearest<T>(all, all, all, options);
}

#define GSG_INSTANTIATE(T)                                       \
  template absl::StatusOr<std::vector<int64_t>> NearestOfFour(   \
      const Rows<const T>(&)[4], const NearestOptions&);         \
  template absl::StatusOr<std::vector<int64_t>> NearestOfShared( \
      const Rows<const T>(&)[2], const NearestOptions&);
GSG_INSTANTIATE(float)
GSG_INSTANTIATE(double)
GSG_INSTANTIATE(Half)
GSG_INSTANTIATE(BFloat16)
#undef GSG_INSTANTIATE

}  // namespace core_internal

absl::StatusOr<std::vector<int64_t>> NearestCandidates(int64_t n,
                                                       int64_t candidates,
                                                       uint64_t seed) {
  absl::Status status = CheckCandidates(candidates, n);
  if (!status.ok()) return status;
  // A product that is not out of range: then more than any memory.
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  const int64_t size = candidates > kMost / n ? kMost : n * candidates;
  return core_internal::IfMemoryLasts(
      absl::StrCat(candidates, " candidates of each of n = ", n, " images"),
      [&] {
        std::vector<int64_t> all;
        all.reserve(static_cast<size_t>(size));
        CandidateDraw draw(n, candidates, seed);
        for (int64_t i = 0; i < n; ++i) {
          const absl::Span<const int64_t> row = draw.Of(i);
          all.insert(all.end(), row.begin(), row.end());
        }
        return all;
      });
}

GSG_NAMESPACE_END
}  // namespace gsg

// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_NEAREST_PAIRING_H_
#define GSG_GSG_CORE_NEAREST_PAIRING_H_

#include <cstdint>
#include <type_traits>
#include <vector>

#include "absl/status/statusor.h"
#include "gsg_core/config.h"
#include "gsg_core/distance.h"
#include "gsg_core/executor.h"
#include "gsg_core/half.h"
#include "gsg_core/rows.h"

namespace gsg {
GSG_NAMESPACE_BEGIN

// A pairing by projections: the second image of each row is the closest of some
// others, instead of any. Two images are as far apart as their closest views,
// the least of the four distances that a Selection chooses from: what guiding
// would find is what counts. Many images may have the same second image and
// others be nobody's, so that this is a map and no permutation.
struct NearestOptions {
  // How many other images, drawn anew for each row, the closest is taken from:
  // 1 to N - 1. With 1 that is a random image, with N - 1 the nearest of all.
  int64_t candidates = 16;
  Distance distance = Distance::kEuclidean;
  uint64_t seed = 0;             // of the candidates
  Executor* executor = nullptr;  // not owned; nullptr: the calling thread
};

namespace core_internal {

// Defined for the types of GSG_STATIC_ASSERT_ELEMENT.
template <typename T>
GSG_EXPORT absl::StatusOr<std::vector<int64_t>> NearestOfFour(
    const Rows<const T> (&z)[4], const NearestOptions& options);
template <typename T>
GSG_EXPORT absl::StatusOr<std::vector<int64_t>> NearestOfShared(
    const Rows<const T> (&z)[2], const NearestOptions& options);

}  // namespace core_internal

// [N], r[i] != i. zVW is the projection of view W of image i in its role V, as
// the first or the second image of a row, all [N, D]; row j of z21 and z22 is
// image j, not yet in the order that this decides. Ties go to the lowest image.
// Costs N * candidates comparisons of two images, candidates times what
// GuidedLoss takes for its choices. The same for every executor. T is float,
// double, Half or BFloat16.
//
// InvalidArgument, naming the argument: shapes differ; N is below 2 or D is 0;
// a stride is below D; data is null; a value is not finite; candidates is not
// in 1..N-1; distance is not of its enum.
template <typename T>
absl::StatusOr<std::vector<int64_t>> NearestPairing(
    Rows<T> z11, InputRows<T> z12, InputRows<T> z21, InputRows<T> z22,
    const NearestOptions& options) {
  using Element = std::remove_const_t<T>;
  GSG_STATIC_ASSERT_ELEMENT(Element);
  return core_internal::NearestOfFour<Element>({z11, z12, z21, z22}, options);
}

// The same where images have two views, which show them in both roles.
template <typename T>
absl::StatusOr<std::vector<int64_t>> NearestPairing(
    Rows<T> z1, InputRows<T> z2, const NearestOptions& options) {
  using Element = std::remove_const_t<T>;
  GSG_STATIC_ASSERT_ELEMENT(Element);
  return core_internal::NearestOfShared<Element>({z1, z2}, options);
}

// What the closest is taken from: [n, candidates], each row ascending. Uniform
// among the sets of that many others, a function of (seed, row) alone.
// InvalidArgument if n < 2 or candidates is not in 1..n-1. ResourceExhausted if
// there is no memory for n * candidates numbers.
GSG_EXPORT absl::StatusOr<std::vector<int64_t>> NearestCandidates(
    int64_t n, int64_t candidates, uint64_t seed);

GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_NEAREST_PAIRING_H_

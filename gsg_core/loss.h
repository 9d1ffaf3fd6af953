// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_LOSS_H_
#define GSG_GSG_CORE_LOSS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gsg_core/config.h"
#include "gsg_core/distance.h"
#include "gsg_core/executor.h"
#include "gsg_core/half.h"
#include "gsg_core/norm.h"
#include "gsg_core/rows.h"
#include "gsg_core/selection.h"
#include "gsg_core/sequence.h"

namespace gsg {
GSG_NAMESPACE_BEGIN

// The guided stop-gradient loss (Lee & Lee, arXiv 2503.09058; SimSiam's for
// Selection::kNone, Chen & He, arXiv 2011.10566) and its gradient.
//
// Row i holds two images with two views each; pVW and zVW are prediction and
// projection of view W of image V, [N, D]. With the four distances between
// z11, z12 and z21, z22 of a row a Selection gives each view a weight w, and
//
//   loss = 1/N sum_i 1/2 sum_v w_v D(p_v, z_partner(v)),
//   D(p, z) = -<p, z> / (max(||p||, eps) max(||z||, eps)),  eps = kNormEpsilon,
//
// where the partner is the other view of the same image. Projections and
// weights are constants (stop-gradient): there is a gradient in p alone.
//
// Zero rows: D is 0. Where ||p|| < eps the denominator is constant, so that
// dD/dp = -z / (eps max(||z||, eps)); elsewhere <p, dD/dp> = 0.

// An aggregate: C++20 has {.selection = Selection::kSoft, .temperature = 0.5}.
struct LossOptions {
  Distance distance = Distance::kEuclidean;
  Selection selection = Selection::kMin;
  // What some selections need: SelectionParameters (choice.h) says what they
  // are.
  uint64_t seed = SelectionParameters().seed;
  double temperature = SelectionParameters().temperature;
  double margin = SelectionParameters().margin;
  double grad_scale = 1.0;       // factor of the gradients, not of the loss
  Executor* executor = nullptr;  // not owned; nullptr: the calling thread

  operator SelectionParameters() const { return {seed, temperature, margin}; }
};

// Two images of their own in each row. All eight are [N, D].
template <typename T>
struct FourViews {
  GSG_STATIC_ASSERT_ELEMENT(T);
  Rows<const T> p11, p12, p21, p22;
  Rows<const T> z11, z12, z21, z22;
};

template <typename T>
struct FourViewGrads {
  Rows<T> p11, p12, p21, p22;
};

// Images shared between rows: row i's second image is the first image of row
// pairing[i], that is z21 = z1[pairing], z22 = z2[pairing], and p likewise.
// p1, p2, z1, z2 are [N, D]; pairing has N entries of 0..N-1: a permutation
// (pairing.h), in which an image is second once, or any map
// (nearest_pairing.h). An image's gradient is the sum of its roles in all rows.
// Memory stays the caller's, but that a temporary vector is kept (sequence.h).
template <typename T>
struct SharedViews {
  GSG_STATIC_ASSERT_ELEMENT(T);
  Rows<const T> p1, p2;
  Rows<const T> z1, z2;
  Sequence<int64_t> pairing;
  Sequence<Rows<const T>> local_p = {};  // see below
};

template <typename T>
struct SharedGrads {
  Rows<T> p1, p2;
  Sequence<Rows<T>> local_p = {};  // one for each of the views'
};

// Multi-crop (SwAV, Caron et al., arXiv 2006.09882; DINO, arXiv 2104.14294):
// local_p are predictions of m further, smaller views of each image, [N, D].
// They predict the two large ones and are no targets, so that they have no
// projections here and take no part in the choice. A large view is a target
// with the weight that its partner has as a source, and each local view
// predicts both with these weights. All sources count alike: with wV the weight
// of view V of an image in a row, an image's part of the row's loss is
//
//   1/2 1/(1 + m) (  w1 D(p1, z2) + w2 D(p2, z1)
//                  + sum_l w1 D(local_l, z2) + w2 D(local_l, z1)).
//
// So a guided image has one target, which its other large view and all local
// ones predict; kNone is the mean over the pairs of a view and another large
// one; and m = 0 is the loss above, bit for bit. Costs as much again for each
// local view as for a large one, and no distances.

struct LossResult {
  double loss = 0;
  std::vector<uint8_t> pair;               // [N]: Choice::pair of each row
  std::array<int64_t, 5> pair_count = {};  // how often each value is in `pair`
};

// The loss and, where grads is given, grad_scale * dloss/dp, written in full:
// exactly 0 for a view that is not a source. T is float, double, or Half or
// BFloat16 (half.h), all of a call the same. Row sums are taken in T, for 16
// bits in float; rows whose sums leave the middle of its range are redone one
// precision wider, so that any finite input gives the right result. A 16-bit
// gradient is rounded once; Half's range is short, and grad_scale = N keeps
// small gradients out of its denormals. The result is bit for bit the same for
// every executor. Thread-safe; inputs stay as they are.
//
// InvalidArgument, naming the argument: shapes differ; N or D is 0; a stride is
// below D; data is null; an input value is not finite; grads overlap the inputs
// or each other; pairing has another length or entry; an option is not of its
// enum or out of its range, or grad_scale is not finite. After an error the
// contents of grads are unspecified.
template <typename T>
GSG_EXPORT absl::StatusOr<LossResult> GuidedLoss(
    const FourViews<T>& views, const LossOptions& options,
    const FourViewGrads<T>* grads = nullptr);
template <typename T>
GSG_EXPORT absl::StatusOr<LossResult> GuidedLoss(
    const SharedViews<T>& views, const LossOptions& options,
    const SharedGrads<T>* grads = nullptr);

// The same where nullptr is written out, of which no T is deduced.
template <typename T>
absl::StatusOr<LossResult> GuidedLoss(const FourViews<T>& views,
                                      const LossOptions& options,
                                      std::nullptr_t) {
  return GuidedLoss(views, options);
}
template <typename T>
absl::StatusOr<LossResult> GuidedLoss(const SharedViews<T>& views,
                                      const LossOptions& options,
                                      std::nullptr_t) {
  return GuidedLoss(views, options);
}

namespace core_internal {

// Defined for the types of GSG_STATIC_ASSERT_ELEMENT.
template <typename T>
GSG_EXPORT absl::StatusOr<std::vector<uint8_t>> SelectFour(
    const Rows<const T> (&z)[4], const LossOptions& options);
template <typename T>
GSG_EXPORT absl::StatusOr<std::vector<uint8_t>> SelectShared(
    const Rows<const T> (&z)[2], absl::Span<const int64_t> pairing,
    const LossOptions& options);

}  // namespace core_internal

// LossResult::pair alone, from projections alone: what GuidedLoss would choose.
// Errors as above. Rows<T> and Rows<const T> are alike here.
template <typename T>
absl::StatusOr<std::vector<uint8_t>> Select(Rows<T> z11, InputRows<T> z12,
                                            InputRows<T> z21, InputRows<T> z22,
                                            const LossOptions& options) {
  using Element = std::remove_const_t<T>;
  GSG_STATIC_ASSERT_ELEMENT(Element);
  return core_internal::SelectFour<Element>({z11, z12, z21, z22}, options);
}
template <typename T>
absl::StatusOr<std::vector<uint8_t>> Select(Rows<T> z1, InputRows<T> z2,
                                            absl::Span<const int64_t> pairing,
                                            const LossOptions& options) {
  using Element = std::remove_const_t<T>;
  GSG_STATIC_ASSERT_ELEMENT(Element);
  return core_internal::SelectShared<Element>({z1, z2}, pairing, options);
}

GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_LOSS_H_

// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_REFERENCE_H_
#define GSG_GSG_CORE_REFERENCE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gsg_core/config.h"
#include "gsg_core/loss.h"
#include "gsg_core/reference_row.h"
#include "gsg_core/selection.h"

// GuidedLoss in obvious loops, one precision wider than T: the judge of every
// fast implementation. Inputs must be valid; nothing is checked.
namespace gsg {
GSG_NAMESPACE_BEGIN
namespace reference {

template <typename T>
struct Result {
  Wide<T> loss = 0;
  std::vector<uint8_t> pair;                      // [N]
  std::vector<std::array<Wide<T>, 4>> distances;  // [N], pairs 0..3
};

// Adds weight / 2 D(p, z) / rows to the result, and its gradient (times
// grad_scale) to grad, which may be null.
template <typename T>
void AddView(const LossOptions& options, Wide<T> weight, int64_t rows,
             int64_t cols, const T* p, const T* z, Wide<T>* grad,
             Result<T>& result) {
  using Real = Wide<T>;
  if (weight == 0) return;
  const Real factor = weight / 2 / rows;
  result.loss += factor * NegativeCosine<Real>(p, z, cols);
  if (grad != nullptr) {
    AddNegativeCosineGradient(p, z, cols, factor * options.grad_scale, grad);
  }
}

// Adds a row to the result, and its gradients to grads[v]. Each view's weight
// is divided by `sources`.
template <typename T>
Choice AddRow(const LossOptions& options, int64_t row, int64_t rows,
              int64_t cols, const T* const (&p)[4], const T* const (&z)[4],
              Wide<T>* const (&grads)[4], Result<T>& result,
              Wide<T> sources = 1) {
  using Real = Wide<T>;
  Real distances[4];
  for (int a = 0; a < 2; ++a) {
    for (int b = 0; b < 2; ++b) {
      distances[2 * a + b] =
          DistanceBetween<Real>(options.distance, z[a], z[2 + b], cols);
    }
  }
  const Choice choice = Choose(options.selection, distances, options, row);
  for (int v = 0; v < 4; ++v) {
    AddView(options, choice.weights[v] / sources, rows, cols, p[v],
            z[PartnerView(v)], grads[v], result);
  }
  result.pair.push_back(choice.pair);
  result.distances.push_back(
      {distances[0], distances[1], distances[2], distances[3]});
  return choice;
}

template <typename T>
void SetZero(Rows<T> rows) {
  for (int64_t i = 0; i < rows.rows(); ++i) {
    for (int64_t c = 0; c < rows.cols(); ++c) rows.row(i)[c] = 0;
  }
}

template <typename T>
Result<T> GuidedLoss(const FourViews<T>& views, const LossOptions& options,
                     const FourViewGrads<Wide<T>>* grads = nullptr) {
  FourViewGrads<Wide<T>> none;
  const FourViewGrads<Wide<T>>& g = grads != nullptr ? *grads : none;
  for (const Rows<Wide<T>>& rows : {g.p11, g.p12, g.p21, g.p22}) SetZero(rows);
  const int64_t n = views.p11.rows();
  Result<T> result;
  for (int64_t i = 0; i < n; ++i) {
    AddRow<T>(options, i, n, views.p11.cols(),
              {views.p11.row(i), views.p12.row(i), views.p21.row(i),
               views.p22.row(i)},
              {views.z11.row(i), views.z12.row(i), views.z21.row(i),
               views.z22.row(i)},
              {g.p11.row(i), g.p12.row(i), g.p21.row(i), g.p22.row(i)}, result);
  }
  return result;
}

template <typename T>
Result<T> GuidedLoss(const SharedViews<T>& views, const LossOptions& options,
                     const SharedGrads<Wide<T>>* grads = nullptr) {
  SharedGrads<Wide<T>> none;
  const SharedGrads<Wide<T>>& g = grads != nullptr ? *grads : none;
  SetZero(g.p1);
  SetZero(g.p2);
  for (const Rows<Wide<T>>& rows : g.local_p) SetZero(rows);
  const int64_t n = views.p1.rows(), d = views.p1.cols();
  const Wide<T> sources = 1 + views.local_p.size();
  Result<T> result;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t j = views.pairing[static_cast<size_t>(i)];
    const Choice choice = AddRow<T>(
        options, i, n, d,
        {views.p1.row(i), views.p2.row(i), views.p1.row(j), views.p2.row(j)},
        {views.z1.row(i), views.z2.row(i), views.z1.row(j), views.z2.row(j)},
        {g.p1.row(i), g.p2.row(i), g.p1.row(j), g.p2.row(j)}, result, sources);
    for (size_t l = 0; l < views.local_p.size(); ++l) {
      for (int v = 0; v < 4; ++v) {  // in the place of each source
        const int64_t image = v < 2 ? i : j;
        const Rows<const T>& target = v % 2 == 0 ? views.z2 : views.z1;
        AddView(options, choice.weights[v] / sources, n, d,
                views.local_p[l].row(image), target.row(image),
                grads != nullptr ? g.local_p[l].row(image) : nullptr, result);
      }
    }
  }
  return result;
}

}  // namespace reference
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_REFERENCE_H_

// SPDX-License-Identifier: Apache-2.0
#include "gsg_core/loss.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gsg_core/config.h"
#include "gsg_core/half.h"
#include "gsg_core/internal/blocks.h"
#include "gsg_core/internal/checks.h"
#include "gsg_core/internal/loss_options.h"
#include "gsg_core/internal/row_loss.h"
#include "gsg_core/rows.h"
#include "gsg_core/selection.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace {

using core_internal::ForBlocks;
using core_internal::NamedRows;
using core_internal::RowLoss;

template <typename T>
absl::Status CheckArguments(const LossOptions& options,
                            absl::Span<const NamedRows<T>> inputs,
                            absl::Span<const NamedRows<T>> grads = {}) {
  absl::Status status = core_internal::CheckLossOptions(
      options.distance, options.selection, options, options.grad_scale);
  if (status.ok()) status = core_internal::CheckShapes<T>(inputs);
  if (status.ok()) status = core_internal::CheckGrads<T>(grads, inputs);
  return status;
}

// Empty if the pairing, whose entries are rows, is no permutation.
std::vector<int64_t> InverseOf(absl::Span<const int64_t> pairing) {
  std::vector<int64_t> inverse(pairing.size(), -1);
  for (size_t i = 0; i < pairing.size(); ++i) {
    if (inverse[pairing[i]] != -1) return {};
    inverse[pairing[i]] = static_cast<int64_t>(i);
  }
  return inverse;
}

// A permutation's images, each once, along its cycles: the image after i is
// pairing[i], unless a cycle ends at i.
std::vector<int64_t> CycleOrder(absl::Span<const int64_t> pairing) {
  std::vector<int64_t> order;
  order.reserve(pairing.size());
  std::vector<bool> visited(pairing.size(), false);
  for (size_t start = 0; start < pairing.size(); ++start) {
    for (int64_t i = start; !visited[i]; i = pairing[i]) {
      visited[i] = true;
      order.push_back(i);
    }
  }
  return order;
}

// row_loss [N]: the loss of each row (or image), not divided by N. They are
// added in order, whichever thread found them.
LossResult Summarise(std::vector<uint8_t> pair,
                     const std::vector<double>& row_loss) {
  LossResult result;
  result.loss = std::accumulate(row_loss.begin(), row_loss.end(), 0.0) /
                static_cast<double>(row_loss.size());
  for (uint8_t p : pair) ++result.pair_count[p];
  result.pair = std::move(pair);
  return result;
}

// LossResult::pair, row i's by choose(row, i).
template <typename T, typename ChooseRow>
absl::StatusOr<std::vector<uint8_t>> SelectRows(
    absl::Span<const NamedRows<T>> inputs, const LossOptions& options,
    const ChooseRow& choose) {
  const Rows<const T>& first = inputs.front().rows;
  RowLoss<T> row(options, first.rows(), first.cols());
  std::vector<uint8_t> pair(first.rows());
  ForBlocks(options.executor, first.rows(), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) pair[i] = choose(row, i).pair;
  });
  if (row.saw_non_finite() || !row.uses_distances()) {
    absl::Status status = core_internal::CheckFinite<T>(inputs);
    if (!status.ok()) return status;
  }
  return pair;
}

}  // namespace

template <typename T>
absl::StatusOr<LossResult> GuidedLoss(const FourViews<T>& views,
                                      const LossOptions& options,
                                      const FourViewGrads<T>* grads) {
  const NamedRows<T> inputs[] = {{"p11", views.p11}, {"p12", views.p12},
                                 {"p21", views.p21}, {"p22", views.p22},
                                 {"z11", views.z11}, {"z12", views.z12},
                                 {"z21", views.z21}, {"z22", views.z22}};
  std::vector<NamedRows<T>> outputs;
  if (grads != nullptr) {
    outputs = {{"grads.p11", grads->p11},
               {"grads.p12", grads->p12},
               {"grads.p21", grads->p21},
               {"grads.p22", grads->p22}};
  }
  absl::Status status = CheckArguments<T>(options, inputs, outputs);
  if (!status.ok()) return status;

  const int64_t n = views.p11.rows();
  RowLoss<T> row(options, n, views.p11.cols());
  std::vector<uint8_t> pair(n);
  std::vector<double> row_loss(n);
  ForBlocks(options.executor, n, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T* const p[4] = {views.p11.row(i), views.p12.row(i),
                             views.p21.row(i), views.p22.row(i)};
      const T* const z[4] = {views.z11.row(i), views.z12.row(i),
                             views.z21.row(i), views.z22.row(i)};
      T* grad[4] = {};
      if (grads != nullptr) {
        grad[0] = grads->p11.row(i);
        grad[1] = grads->p12.row(i);
        grad[2] = grads->p21.row(i);
        grad[3] = grads->p22.row(i);
      }
      const Choice choice = row.Choose(z, p, i);
      pair[i] = choice.pair;
      for (int v = 0; v < 4; ++v) {
        row_loss[i] +=
            row.View(p[v], z[PartnerView(v)], choice.weights[v], grad[v]);
      }
    }
  });
  if (row.saw_non_finite()) return core_internal::CheckFinite<T>(inputs);
  return Summarise(std::move(pair), row_loss);
}

template <typename T>
absl::StatusOr<LossResult> GuidedLoss(const SharedViews<T>& views,
                                      const LossOptions& options,
                                      const SharedGrads<T>* grads) {
  const size_t locals = views.local_p.size();
  std::vector<NamedRows<T>> inputs = {
      {"p1", views.p1}, {"p2", views.p2}, {"z1", views.z1}, {"z2", views.z2}};
  std::vector<NamedRows<T>> outputs;
  if (grads != nullptr) {
    outputs = {{"grads.p1", grads->p1}, {"grads.p2", grads->p2}};
    if (grads->local_p.size() != locals) {
      return absl::InvalidArgumentError(absl::StrCat(
          "grads.local_p has ", grads->local_p.size(),
          " matrices; local_p has ", locals, ", and each needs one"));
    }
  }
  std::vector<std::string> names;  // which errors refer to
  names.reserve(2 * locals);
  for (size_t l = 0; l < locals; ++l) {
    names.push_back(absl::StrCat("local_p[", l, "]"));
    inputs.push_back({names.back(), views.local_p[l]});
    if (grads == nullptr) continue;
    names.push_back(absl::StrCat("grads.", names.back()));
    outputs.push_back({names.back(), grads->local_p[l]});
  }
  absl::Status status = CheckArguments<T>(options, inputs, outputs);
  if (!status.ok()) return status;
  const int64_t n = views.p1.rows();
  const absl::Span<const int64_t> pairing = views.pairing;
  status = core_internal::CheckPairing(pairing, n);
  if (!status.ok()) return status;

  RowLoss<T> row(options, n, views.p1.cols());
  std::vector<uint8_t> pair(n);
  std::vector<double> image_loss(n);
  const auto choose = [&](int64_t i) {
    const int64_t j = pairing[i], k = pairing[j];
    return row.Choose(
        {views.z1.row(i), views.z2.row(i), views.z1.row(j), views.z2.row(j)},
        {views.p1.row(i), views.p2.row(i), views.z1.row(k), views.z2.row(k)},
        i);
  };
  // Of image i, whose views have these weights in all rows together: whatever
  // the row, a view's target is the other view of the same image.
  const double sources = 1 + static_cast<double>(locals);
  const auto image = [&](int64_t i, double weight1, double weight2) {
    weight1 /= sources;
    weight2 /= sources;
    double loss = row.View(views.p1.row(i), views.z2.row(i), weight1,
                           grads != nullptr ? grads->p1.row(i) : nullptr) +
                  row.View(views.p2.row(i), views.z1.row(i), weight2,
                           grads != nullptr ? grads->p2.row(i) : nullptr);
    for (size_t l = 0; l < locals; ++l) {
      loss +=
          row.LocalView(views.local_p[l].row(i),
                        {views.z2.row(i), views.z1.row(i)}, {weight1, weight2},
                        grads != nullptr ? grads->local_p[l].row(i) : nullptr);
    }
    return loss;
  };
  const std::vector<int64_t> inverse = InverseOf(pairing);
  if (!inverse.empty()) {
    // Image i needs the choice of its own row, in which it is the first image,
    // and of row inverse[i], in which it is the second. Along a cycle the
    // latter is the choice before, and the projections just compared are still
    // in cache.
    const std::vector<int64_t> order = CycleOrder(pairing);
    ForBlocks(options.executor, n, [&](int64_t begin, int64_t end) {
      Choice second{};
      for (int64_t k = begin; k < end; ++k) {
        const int64_t i = order[k];
        const int64_t previous = inverse[i];
        if (k == begin || order[k - 1] != previous) second = choose(previous);
        const Choice first = choose(i);
        pair[i] = first.pair;
        image_loss[i] = image(i, first.weights[0] + second.weights[2],
                              first.weights[1] + second.weights[3]);
        second = first;
      }
    });
  } else {
    // Any number of rows may have image i as their second: all choices first.
    std::vector<Choice> choices(n);
    ForBlocks(options.executor, n, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) choices[i] = choose(i);
    });
    std::vector<std::array<double, 2>> weights(n);
    for (int64_t i = 0; i < n; ++i) {
      pair[i] = choices[i].pair;
      weights[i] = {choices[i].weights[0], choices[i].weights[1]};
    }
    for (int64_t i = 0; i < n; ++i) {
      std::array<double, 2>& second = weights[pairing[i]];
      second[0] += choices[i].weights[2];
      second[1] += choices[i].weights[3];
    }
    ForBlocks(options.executor, n, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        image_loss[i] = image(i, weights[i][0], weights[i][1]);
      }
    });
  }
  if (row.saw_non_finite()) return core_internal::CheckFinite<T>(inputs);
  return Summarise(std::move(pair), image_loss);
}

namespace core_internal {

template <typename T>
absl::StatusOr<std::vector<uint8_t>> SelectFour(const Rows<const T> (&z)[4],
                                                const LossOptions& options) {
  const NamedRows<T> inputs[] = {
      {"z11", z[0]}, {"z12", z[1]}, {"z21", z[2]}, {"z22", z[3]}};
  absl::Status status = CheckArguments<T>(options, inputs);
  if (!status.ok()) return status;
  return SelectRows<T>(inputs, options, [&](RowLoss<T>& row, int64_t i) {
    const T* const rows[4] = {z[0].row(i), z[1].row(i), z[2].row(i),
                              z[3].row(i)};
    return row.Choose(rows, rows, i);
  });
}

template <typename T>
absl::StatusOr<std::vector<uint8_t>> SelectShared(
    const Rows<const T> (&z)[2], absl::Span<const int64_t> pairing,
    const LossOptions& options) {
  const NamedRows<T> inputs[] = {{"z1", z[0]}, {"z2", z[1]}};
  absl::Status status = CheckArguments<T>(options, inputs);
  if (!status.ok()) return status;
  status = CheckPairing(pairing, z[0].rows());
  if (!status.ok()) return status;
  return SelectRows<T>(inputs, options, [&](RowLoss<T>& row, int64_t i) {
    const int64_t j = pairing[i];
    const T* const rows[4] = {z[0].row(i), z[1].row(i), z[0].row(j),
                              z[1].row(j)};
    return row.Choose(rows, rows, i);
  });
}

#define GSG_INSTANTIATE(T)                                    \
  template absl::StatusOr<std::vector<uint8_t>> SelectFour(   \
      const Rows<const T>(&)[4], const LossOptions&);         \
  template absl::StatusOr<std::vector<uint8_t>> SelectShared( \
      const Rows<const T>(&)[2], absl::Span<const int64_t>,   \
      const LossOptions&);
GSG_INSTANTIATE(float)
GSG_INSTANTIATE(double)
GSG_INSTANTIATE(Half)
GSG_INSTANTIATE(BFloat16)
#undef GSG_INSTANTIATE

}  // namespace core_internal

#define GSG_INSTANTIATE(T)                                               \
  template absl::StatusOr<LossResult> GuidedLoss(                        \
      const FourViews<T>&, const LossOptions&, const FourViewGrads<T>*); \
  template absl::StatusOr<LossResult> GuidedLoss(                        \
      const SharedViews<T>&, const LossOptions&, const SharedGrads<T>*);
GSG_INSTANTIATE(float)
GSG_INSTANTIATE(double)
GSG_INSTANTIATE(Half)
GSG_INSTANTIATE(BFloat16)
#undef GSG_INSTANTIATE

GSG_NAMESPACE_END
}  // namespace gsg

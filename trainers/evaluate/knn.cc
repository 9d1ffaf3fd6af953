#include "trainers/evaluate/knn.h"

#include <algorithm>
#include <cstdint>

#include "ATen/core/Tensor.h"
#include "ATen/core/grad_mode.h"
#include "ATen/ops/zeros.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gsg_core/status_macros.h"
#include "models/linear.h"
#include "trainers/evaluate/classification.h"
#include "trainers/evaluate/inputs.h"

namespace gsg {
namespace {

// Similarities held at once: 64 MiB of float32.
constexpr int64_t kBlockElements = int64_t{1} << 24;

// Unit rows; rows of zeros stay. The norm is taken in double, in which no
// float32 row overflows.
at::Tensor Normalized(const at::Tensor& rows) {
  at::Tensor norm = rows.norm(2, {1}, /*keepdim=*/true, at::kDouble);
  norm.masked_fill_(norm.eq(0), 1);
  return rows.div(norm.to(rows.scalar_type()));
}

// Walks through the queries in blocks: visit(first query, similarities
// [B, k], bank rows [B, k]). `row_elements` is what a query costs at most.
using VisitNeighbors = absl::FunctionRef<void(
    int64_t first, const at::Tensor& similarity, const at::Tensor& index)>;

void ForEachBlock(const at::Tensor& bank, const at::Tensor& queries, int64_t k,
                  int64_t row_elements, bool sorted, VisitNeighbors visit) {
  const at::Tensor directions = Normalized(bank);
  const at::Tensor query_directions = Normalized(queries);
  const int64_t nearest = std::min(k, bank.size(0));
  const int64_t block = std::max<int64_t>(1, kBlockElements / row_elements);
  for (int64_t first = 0; first < queries.size(0); first += block) {
    const auto [similarity, index] =
        ApplyLinear(query_directions.slice(0, first, first + block), directions,
                    /*bias=*/{})
            .topk(nearest, /*dim=*/1, /*largest=*/true, sorted);
    visit(first, similarity, index);
  }
}

absl::Status CheckK(int64_t k) {
  if (k >= 1) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("k is ", k, "; at least 1 neighbor is needed"));
}

}  // namespace

absl::StatusOr<Classification> KnnClassify(const at::Tensor& bank,
                                           const at::Tensor& bank_labels,
                                           const at::Tensor& queries,
                                           const at::Tensor& query_labels,
                                           int64_t classes,
                                           const KnnOptions& options) {
  GSG_RETURN_IF_ERROR(CheckK(options.k));
  if (!(options.temperature > 0)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "temperature is ", options.temperature, "; it must be positive"));
  }
  GSG_RETURN_IF_ERROR(CheckLabeledSets(
      {"bank", bank, bank_labels}, {"query", queries, query_labels}, classes));
  const at::NoGradGuard no_grad;
  ClassificationTally tally(classes);
  ForEachBlock(
      bank, queries, options.k, std::max(bank.size(0), classes),
      /*sorted=*/false,
      [&](int64_t first, const at::Tensor& similarity,
          const at::Tensor& index) {
        const int64_t rows = index.size(0);
        // exp((s - max s) / t) votes as exp(s / t) does and cannot overflow.
        const at::Tensor s = similarity.to(at::kDouble);
        const at::Tensor weight =
            s.sub(s.amax(1, /*keepdim=*/true)).div(options.temperature).exp();
        const at::Tensor votes =
            at::zeros({rows, classes}, weight.options())
                .scatter_add_(1, bank_labels.take(index), weight);
        tally.Add(votes, query_labels.slice(0, first, first + rows));
      });
  return tally.Result();
}

absl::StatusOr<double> KnnTop1(const at::Tensor& bank,
                               const at::Tensor& bank_labels,
                               const at::Tensor& queries,
                               const at::Tensor& query_labels, int64_t classes,
                               const KnnOptions& options) {
  GSG_ASSIGN_OR_RETURN(
      Classification result,
      KnnClassify(bank, bank_labels, queries, query_labels, classes, options));
  return result.top1;
}

absl::StatusOr<at::Tensor> NearestNeighbors(const at::Tensor& bank,
                                            const at::Tensor& queries,
                                            int64_t k) {
  GSG_RETURN_IF_ERROR(CheckK(k));
  GSG_RETURN_IF_ERROR(CheckFeatures("bank", bank));
  GSG_RETURN_IF_ERROR(CheckFeatures("query", queries));
  GSG_RETURN_IF_ERROR(CheckComparable("bank", bank, "query", queries));
  const at::NoGradGuard no_grad;
  at::Tensor nearest = at::zeros({queries.size(0), std::min(k, bank.size(0))},
                                 bank.options().dtype(at::kLong));
  ForEachBlock(bank, queries, k, bank.size(0), /*sorted=*/true,
               [&](int64_t first, const at::Tensor& /*similarity*/,
                   const at::Tensor& index) {
                 nearest.slice(0, first, first + index.size(0)).copy_(index);
               });
  return nearest;
}

}  // namespace gsg

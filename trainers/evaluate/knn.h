#ifndef GSG_TRAINERS_EVALUATE_KNN_H_
#define GSG_TRAINERS_EVALUATE_KNN_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "absl/status/statusor.h"
#include "trainers/evaluate/classification.h"

namespace gsg {

// Weighted k-nearest-neighbor classification of frozen features:
//
//   score(c) = sum over the k nearest bank rows i of  1[y_i = c] exp(s_i / t)
//
// with s_i the cosine similarity to the query. Wu et al., "Unsupervised
// Feature Learning via Non-Parametric Instance Discrimination" (CVPR 2018),
// section 3.4; k = 200 and t = 0.2 are SimSiam's and GSG's monitor.
struct KnnOptions {
  // Neighbors that vote. A bank with fewer rows votes as a whole.
  int64_t k = 200;
  // Unitless, positive. Towards 0 the nearest neighbor decides alone.
  double temperature = 0.2;
};

// How the bank classifies the queries. A tied score goes to the lowest class;
// with few neighbors and many classes the fifth place is often such a tie, at
// no vote at all.
//   bank, queries:             [N, d] and [M, d] float32, not normalized.
//   bank_labels, query_labels: [N] and [M] int64, each in 0..classes-1.
// All four on one device, where the work is done. A row of zeros has no
// direction; its similarity to every row is 0.
//
// Queries go in blocks: besides one normalized copy of the bank and of the
// queries, 64 MiB of similarities are held at most (or one row, if longer), and
// a few times that of scores where there are as many classes as bank rows.
//
// Errors: kInvalidArgument if a shape, type or device differs from the above,
// a tensor is empty, a feature is not finite, a label is out of range, k < 1
// or temperature is not positive.
absl::StatusOr<Classification> KnnClassify(const at::Tensor& bank,
                                           const at::Tensor& bank_labels,
                                           const at::Tensor& queries,
                                           const at::Tensor& query_labels,
                                           int64_t classes,
                                           const KnnOptions& options = {});

// Its top1 alone: what is watched during training.
absl::StatusOr<double> KnnTop1(const at::Tensor& bank,
                               const at::Tensor& bank_labels,
                               const at::Tensor& queries,
                               const at::Tensor& query_labels, int64_t classes,
                               const KnnOptions& options = {});

// The bank rows most similar to each query by cosine, nearest first:
// [M, min(k, N)] int64 on the bank's device. Arguments, memory and errors as
// in KnnClassify; equal similarities come in an unspecified order.
absl::StatusOr<at::Tensor> NearestNeighbors(const at::Tensor& bank,
                                            const at::Tensor& queries,
                                            int64_t k);

}  // namespace gsg

#endif  // GSG_TRAINERS_EVALUATE_KNN_H_

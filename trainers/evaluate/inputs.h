#ifndef GSG_TRAINERS_EVALUATE_INPUTS_H_
#define GSG_TRAINERS_EVALUATE_INPUTS_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace gsg {

// A labeled set of features as its caller names it in error messages, where
// "bank" is followed by "features" or "labels".
struct LabeledSet {
  absl::string_view name;
  const at::Tensor& features;  // [N, d] float32
  const at::Tensor& labels;    // [N] int64
};

// All return kInvalidArgument with both values, or OK.

// Features are defined, [N, d] float32 with N, d > 0, and finite.
absl::Status CheckFeatures(absl::string_view name, const at::Tensor& features);

// Two sets of checked features have one width and one device.
absl::Status CheckComparable(absl::string_view name, const at::Tensor& features,
                             absl::string_view other_name,
                             const at::Tensor& other_features);

// Both sets are comparable, and each label is int64 in 0..classes-1.
absl::Status CheckLabeledSets(const LabeledSet& train, const LabeledSet& test,
                              int64_t classes);

}  // namespace gsg

#endif  // GSG_TRAINERS_EVALUATE_INPUTS_H_

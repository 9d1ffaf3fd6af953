#include "trainers/evaluate/inputs.h"

#include <cmath>
#include <cstdint>
#include <string>

#include "ATen/core/Tensor.h"
#include "ATen/ops/aminmax.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"

namespace gsg {
namespace {

// "[60000, 256] Float", as it goes into a message.
std::string Describe(const at::Tensor& tensor) {
  if (!tensor.defined()) return "an undefined tensor";
  return absl::StrCat("[", absl::StrJoin(tensor.sizes(), ", "), "] ",
                      c10::toString(tensor.scalar_type()));
}

absl::Status CheckLabels(const LabeledSet& set, int64_t classes) {
  const at::Tensor& labels = set.labels;
  const int64_t rows = set.features.size(0);
  if (!labels.defined() || labels.dim() != 1 || labels.size(0) != rows ||
      labels.scalar_type() != at::kLong) {
    return absl::InvalidArgumentError(
        absl::StrCat(set.name, " labels are ", Describe(labels), "; ", rows,
                     " feature rows need [", rows, "] Long"));
  }
  if (labels.device() != set.features.device()) {
    return absl::InvalidArgumentError(
        absl::StrCat(set.name, " labels are on ", labels.device().str(),
                     " and the features on ", set.features.device().str(),
                     "; move both to one device"));
  }
  const int64_t lowest = labels.min().item<int64_t>();
  const int64_t highest = labels.max().item<int64_t>();
  if (lowest < 0 || highest >= classes) {
    return absl::InvalidArgumentError(
        absl::StrCat(set.name, " labels span ", lowest, "..", highest, "; ",
                     classes, " classes allow 0..", classes - 1));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckFeatures(absl::string_view name, const at::Tensor& features) {
  if (!features.defined() || features.dim() != 2 || features.numel() == 0 ||
      features.scalar_type() != at::kFloat) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " features are ", Describe(features),
                     "; need [N, d] Float with N and d at least 1"));
  }
  // Both are NaN if a value is. at::isfinite would take 7 bytes a value more.
  const auto [lowest, highest] = at::aminmax(features);
  if (!std::isfinite(lowest.item<float>()) ||
      !std::isfinite(highest.item<float>())) {
    return absl::InvalidArgumentError(
        absl::StrCat(name,
                     " features hold a NaN or an infinity; the network "
                     "has diverged or its input is not normalized"));
  }
  return absl::OkStatus();
}

absl::Status CheckComparable(absl::string_view name, const at::Tensor& features,
                             absl::string_view other_name,
                             const at::Tensor& other_features) {
  if (features.size(1) != other_features.size(1)) {
    return absl::InvalidArgumentError(absl::StrCat(
        other_name, " features have width ", other_features.size(1), "; ", name,
        " features have width ", features.size(1)));
  }
  if (features.device() != other_features.device()) {
    return absl::InvalidArgumentError(absl::StrCat(
        other_name, " features are on ", other_features.device().str(), "; ",
        name, " features are on ", features.device().str(),
        "; move both to one device"));
  }
  return absl::OkStatus();
}

absl::Status CheckLabeledSets(const LabeledSet& train, const LabeledSet& test,
                              int64_t classes) {
  GSG_RETURN_IF_ERROR(CheckFeatures(train.name, train.features));
  GSG_RETURN_IF_ERROR(CheckFeatures(test.name, test.features));
  GSG_RETURN_IF_ERROR(
      CheckComparable(train.name, train.features, test.name, test.features));
  GSG_RETURN_IF_ERROR(CheckLabels(train, classes));
  return CheckLabels(test, classes);
}

}  // namespace gsg

#include "trainers/loss/nearest_pairing.h"

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gsg_core/nearest_pairing.h"
#include "gsg_core/rows.h"
#include "trainers/loss/aten_executor.h"
#include "trainers/loss/tensor_rows.h"

namespace gsg {
namespace {

template <typename T>
absl::StatusOr<std::vector<int64_t>> Compute(const std::vector<at::Tensor>& z,
                                             const NearestOptions& options) {
  using In = const T;
  if (z.size() == 2) {
    return NearestPairing(RowsOf<In>(z[0]), RowsOf<In>(z[1]), options);
  }
  return NearestPairing(RowsOf<In>(z[0]), RowsOf<In>(z[1]), RowsOf<In>(z[2]),
                        RowsOf<In>(z[3]), options);
}

}  // namespace

absl::StatusOr<std::vector<int64_t>> NearestPairing(
    const std::vector<at::Tensor>& z, const NearestOptions& options) {
  if (z.size() != 2 && z.size() != 4) {
    return absl::InvalidArgumentError(
        absl::StrCat("got ", z.size(),
                     " projections; need 2 for shared views or 4 for four "
                     "views"));
  }
  const c10::ScalarType type = z[0].scalar_type();
  for (const at::Tensor& t : z) {
    if (t.dim() != 2) {
      return absl::InvalidArgumentError(absl::StrCat(
          "a tensor has ", t.dim(), " dimensions; it must be [N, D]"));
    }
    if (t.scalar_type() != type || !IsReal(type)) {
      return absl::InvalidArgumentError(
          absl::StrCat("a projection is ", c10::toString(t.scalar_type()),
                       "; all must be one of ", kRealTypes));
    }
  }
  AtenExecutor executor;
  NearestOptions with_threads = options;
  with_threads.executor = &executor;
  const std::vector<at::Tensor> cpu = OnCpu(z);
  return ForType(type, [&](auto zero) {
    return Compute<decltype(zero)>(cpu, with_threads);
  });
}

}  // namespace gsg

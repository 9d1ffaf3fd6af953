#include "cuda/pairing_plan.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "cuda/guided_loss.h"
#include "gsg_core/internal/checks.h"

namespace gsg::cuda {

absl::Status MakePairingPlan(absl::Span<const int64_t> pairing,
                             absl::Span<int64_t> plan) {
  const int64_t n = static_cast<int64_t>(pairing.size());
  if (n == 0) return absl::InvalidArgumentError("pairing is empty");
  absl::Status status = gsg::core_internal::CheckPairing(pairing, n);
  if (!status.ok()) return status;
  if (static_cast<int64_t>(plan.size()) != PairingPlanSize(n)) {
    return absl::InvalidArgumentError(
        absl::StrCat("plan has ", plan.size(), " elements; a pairing of ", n,
                     " takes ", PairingPlanSize(n)));
  }
  std::copy(pairing.begin(), pairing.end(), plan.begin());
  const absl::Span<int64_t> inverse = plan.subspan(n, n);
  const absl::Span<int64_t> order = plan.subspan(2 * n, n);
  const absl::Span<int64_t> begin = plan.subspan(3 * n, n + 1);

  // Rows sorted by their second image: counted, then each put into its place.
  std::fill(begin.begin(), begin.end(), 0);
  for (const int64_t second : pairing) ++begin[second + 1];
  for (int64_t i = 0; i < n; ++i) begin[i + 1] += begin[i];
  std::vector<int64_t> place(begin.begin(), begin.end() - 1);
  for (int64_t row = 0; row < n; ++row) inverse[place[pairing[row]]++] = row;

  // From each image on to its second, until that was there already.
  std::vector<bool> visited(n, false);
  size_t count = 0;
  for (int64_t start = 0; start < n; ++start) {
    for (int64_t i = start; !visited[i]; i = pairing[i]) {
      visited[i] = true;
      order[count++] = i;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<int64_t>> MakePairingPlan(
    absl::Span<const int64_t> pairing) {
  std::vector<int64_t> plan(PairingPlanSize(pairing.size()));
  absl::Status status = MakePairingPlan(pairing, absl::MakeSpan(plan));
  if (!status.ok()) return status;
  return plan;
}

Pairing PairingOfPlan(const int64_t* plan, int64_t rows) {
  Pairing pairing;
  pairing.pairing = plan;
  pairing.inverse = plan + rows;
  pairing.order = plan + 2 * rows;
  pairing.inverse_begin = plan + 3 * rows;
  return pairing;
}

}  // namespace gsg::cuda

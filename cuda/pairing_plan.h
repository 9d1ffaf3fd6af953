#ifndef GSG_CUDA_PAIRING_PLAN_H_
#define GSG_CUDA_PAIRING_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "cuda/guided_loss.h"

namespace gsg::cuda {

// A Pairing as one array, made on the host and copied to the device in one
// piece: any map, or the permutations of gsg_core/pairing.h. The size depends
// on N alone, so that a captured graph serves for every pairing of N images.
//
// The layout, [4 N + 1] int64: pairing [N], inverse [N], order [N],
// inverse_begin [N + 1].
constexpr int64_t PairingPlanSize(int64_t rows) { return 4 * rows + 1; }

// Writes the plan of `pairing` to `plan`, PairingPlanSize(N) elements of host
// memory (pinned, say). InvalidArgument if the sizes do not fit, N is 0 or an
// entry is not one of 0..N-1.
absl::Status MakePairingPlan(absl::Span<const int64_t> pairing,
                             absl::Span<int64_t> plan);

// The same in memory of its own.
absl::StatusOr<std::vector<int64_t>> MakePairingPlan(
    absl::Span<const int64_t> pairing);

// The Pairing whose plan is at `plan`, wherever that is.
Pairing PairingOfPlan(const int64_t* plan, int64_t rows);

}  // namespace gsg::cuda

#endif  // GSG_CUDA_PAIRING_PLAN_H_

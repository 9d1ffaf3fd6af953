// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_PAIRING_H_
#define GSG_GSG_CORE_PAIRING_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gsg_core/config.h"

namespace gsg {
GSG_NAMESPACE_BEGIN

// Which image is the second image of each row: image i is compared with image
// r[i] of 0..n-1. Here are permutations; a pairing by projections, which is
// none, is in nearest_pairing.h. All draws come from Philox4x32-10
// keyed by `seed` through an unbiased bounded draw, so that a pairing is the
// same on every platform. ResourceExhausted if there is no memory for n numbers.
enum class PairingKind {
  kCyclic,   // "cyclic"
  kRandom,   // "random"
  kNearest,  // "nearest": NearestPairing
};

// "cyclic", ...; "unknown" for a value that is not of the enum.
GSG_EXPORT absl::string_view PairingKindName(PairingKind kind);

// One cycle through all images in a uniform random order: r[o[k]] = o[k + 1].
// No image is its own second image. InvalidArgument if n < 2.
GSG_EXPORT absl::StatusOr<std::vector<int64_t>> CyclicPairing(int64_t n,
                                                              uint64_t seed);

// A uniform permutation (Fisher-Yates), which may map an image to itself: what
// the authors of arXiv 2503.09058 do. InvalidArgument if n < 1.
GSG_EXPORT absl::StatusOr<std::vector<int64_t>> RandomPairing(int64_t n,
                                                              uint64_t seed);

// The permutation of that kind. InvalidArgument as above, and for kNearest,
// which takes more than a seed.
GSG_EXPORT absl::StatusOr<std::vector<int64_t>> MakePairing(PairingKind kind,
                                                            int64_t n,
                                                            uint64_t seed);

GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_PAIRING_H_

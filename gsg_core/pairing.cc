// SPDX-License-Identifier: Apache-2.0
#include "gsg_core/pairing.h"

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gsg_core/config.h"
#include "gsg_core/internal/memory.h"
#include "gsg_core/internal/names.h"
#include "gsg_core/internal/pairing_names.h"
#include "gsg_core/random.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace {

// What make() makes of n images.
template <typename Make>
absl::StatusOr<std::vector<int64_t>> OfImages(int64_t n, const Make& make) {
  return core_internal::IfMemoryLasts(
      absl::StrCat("a pairing of n = ", n, " images"), make);
}

// Fisher-Yates, from the last place down.
std::vector<int64_t> Shuffled(int64_t n, uint64_t seed) {
  uint64_t draws = 0;
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  for (size_t left = order.size(); left > 1; --left) {
    std::swap(order[left - 1],
              order[UniformBelow(left, seed, RandomStream::kPairing, &draws)]);
  }
  return order;
}

}  // namespace

absl::string_view PairingKindName(PairingKind kind) {
  return core_internal::NameOf(kind, core_internal::kPairingNames);
}

absl::StatusOr<std::vector<int64_t>> CyclicPairing(int64_t n, uint64_t seed) {
  if (n < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("a cyclic pairing of n = ", n,
                     " images does not exist: each image needs another one as "
                     "its second image, so n must be at least 2"));
  }
  return OfImages(n, [&] {
    const std::vector<int64_t> order = Shuffled(n, seed);
    std::vector<int64_t> pairing(order.size());
    for (size_t k = 0; k < order.size(); ++k) {
      pairing[order[k]] = order[(k + 1) % order.size()];
    }
    return pairing;
  });
}

absl::StatusOr<std::vector<int64_t>> RandomPairing(int64_t n, uint64_t seed) {
  if (n < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a random pairing of n = ", n, " images: n must be at least 1"));
  }
  return OfImages(n, [&] { return Shuffled(n, seed); });
}

absl::StatusOr<std::vector<int64_t>> MakePairing(PairingKind kind, int64_t n,
                                                 uint64_t seed) {
  switch (kind) {
    case PairingKind::kCyclic:
      return CyclicPairing(n, seed);
    case PairingKind::kRandom:
      return RandomPairing(n, seed);
    case PairingKind::kNearest:
      return absl::InvalidArgumentError(
          "the nearest pairing is made from projections: use NearestPairing");
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "pairing kind ", static_cast<int>(kind), " is not of PairingKind"));
}

GSG_NAMESPACE_END
}  // namespace gsg

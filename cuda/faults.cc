#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "cuda/guided_loss.h"
#include "cuda/internal/loss_args.h"

namespace gsg::cuda {
namespace {

// names: of the inputs, in the order of their bits.
absl::Status Faults(uint32_t faults,
                    absl::Span<const absl::string_view> names) {
  if ((faults & internal::kBadPairing) != 0) {
    return absl::InvalidArgumentError(
        "pairing has an entry that is no row; entries are 0..N-1");
  }
  for (int input = 0; input < 31; ++input) {
    if ((faults >> input & 1) == 0) continue;
    const int count = static_cast<int>(names.size());
    const std::string name = input < count
                                 ? std::string(names[input])
                                 : absl::StrCat("local_p[", input - count, "]");
    return absl::InvalidArgumentError(absl::StrCat(
        name, " had a value that is not finite; all values must be finite"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FourViewFaults(uint32_t faults) {
  return Faults(faults,
                {"p11", "p12", "p21", "p22", "z11", "z12", "z21", "z22"});
}

absl::Status SharedViewFaults(uint32_t faults) {
  return Faults(faults, {"p1", "p2", "z1", "z2"});
}

}  // namespace gsg::cuda

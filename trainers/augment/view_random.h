#ifndef GSG_TRAINERS_AUGMENT_VIEW_RANDOM_H_
#define GSG_TRAINERS_AUGMENT_VIEW_RANDOM_H_

#include <cstdint>

#include "gsg_core/random.h"

namespace gsg {

// The sequence of random numbers that belongs to (seed, epoch, index, view),
// and to nothing else: no state is shared, so threads need not agree on who
// draws first. Holds 2^34 draws.
class ViewRandom {
 public:
  // first_block: from which of its 2^32 blocks of four draws on.
  ViewRandom(uint64_t seed, uint32_t epoch, uint32_t index, uint32_t view,
             uint32_t first_block = 0)
      : seed_(seed), counter_{{first_block, view, epoch, index}} {}

  // Uniform over all 32-bit values.
  uint32_t Bits() {
    if (used_ == 4) {
      block_ = Philox4x32(counter_, seed_);
      ++counter_.word[0];
      used_ = 0;
    }
    return block_.word[used_++];
  }

  // Uniform in [0, 1), a multiple of 2^-32.
  double Uniform() { return Bits() * 0x1p-32; }

  // Uniform in [low, high).
  double Uniform(double low, double high) {
    return low + (high - low) * Uniform();
  }

  // True with probability p: never for 0, always for 1.
  bool Bernoulli(double p) { return Uniform() < p; }

  // Uniform over 0 .. n - 1, without bias. n >= 1. Lemire, "Fast Random
  // Integer Generation in an Interval" (2019): multiply, and draw again in the
  // 2^32 mod n cases that would favor some values.
  uint32_t Below(uint32_t n) {
    const uint32_t excess = -n % n;
    uint64_t product;
    do {
      product = uint64_t{Bits()} * n;
    } while (static_cast<uint32_t>(product) < excess);
    return static_cast<uint32_t>(product >> 32);
  }

 private:
  uint64_t seed_;
  PhiloxBlock counter_;  // draw block, view, epoch, index
  PhiloxBlock block_;
  int used_ = 4;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_AUGMENT_VIEW_RANDOM_H_

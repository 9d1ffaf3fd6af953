#ifndef GSG_TRAINERS_AUGMENT_PHILOX_H_
#define GSG_TRAINERS_AUGMENT_PHILOX_H_

#include <array>
#include <cstdint>

namespace gsg {

// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw,
// "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011): a fixed bijection
// of 128-bit counters for each 64-bit key, that passes as random.
inline std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter,
                                          std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * counter[0];
    const uint64_t b = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0],
               static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

// The sequence of random numbers that belongs to (seed, epoch, index, view),
// and to nothing else: no state is shared, so threads need not agree on who
// draws first. Holds 2^34 draws.
class RandomStream {
 public:
  RandomStream(uint64_t seed, uint32_t epoch, uint32_t index, uint32_t view)
      : key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)},
        counter_{0, view, epoch, index} {}

  // Uniform over all 32-bit values.
  uint32_t Bits() {
    if (used_ == 4) {
      block_ = Philox4x32(counter_, key_);
      ++counter_[0];
      used_ = 0;
    }
    return block_[used_++];
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
  // 2^32 mod n cases that would favour some values.
  uint32_t Below(uint32_t n) {
    const uint32_t excess = -n % n;
    uint64_t product;
    do {
      product = uint64_t{Bits()} * n;
    } while (static_cast<uint32_t>(product) < excess);
    return static_cast<uint32_t>(product >> 32);
  }

 private:
  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 4> counter_;  // draw block, view, epoch, index
  std::array<uint32_t, 4> block_;
  int used_ = 4;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_AUGMENT_PHILOX_H_

// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_RANDOM_H_
#define GSG_GSG_CORE_RANDOM_H_

#include <cstdint>

#include "gsg_core/config.h"

namespace gsg {
GSG_NAMESPACE_BEGIN

// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw,
// "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011): a fixed bijection of
// 128-bit counters for each 64-bit key, which passes as random. The same on
// every platform.
struct PhiloxBlock {
  uint32_t word[4];
};
constexpr PhiloxBlock Philox4x32(const PhiloxBlock& counter, uint64_t key) {
  uint32_t k0 = static_cast<uint32_t>(key);
  uint32_t k1 = static_cast<uint32_t>(key >> 32);
  PhiloxBlock c = counter;
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * c.word[0];
    const uint64_t b = uint64_t{0xCD9E8D57} * c.word[2];
    c = {{static_cast<uint32_t>(b >> 32) ^ c.word[1] ^ k0,
          static_cast<uint32_t>(b),
          static_cast<uint32_t>(a >> 32) ^ c.word[3] ^ k1,
          static_cast<uint32_t>(a)}};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return c;
}

// What a number is drawn for: equal (seed, index) of different streams are
// unrelated.
enum class RandomStream : uint32_t {
  kSelection = 0,
  kPairing = 1,
  kCandidates = 2,
};

// 64 random bits as a function of (seed, stream, index): words 0 (low) and 1 of
// Philox4x32 with key = seed and counter = (index, stream, 0), low words first.
constexpr uint64_t RandomBits(uint64_t seed, RandomStream stream,
                              uint64_t index) {
  const PhiloxBlock bits = Philox4x32(
      {{static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32),
        static_cast<uint32_t>(stream), 0}},
      seed);
  return uint64_t{bits.word[1]} << 32 | bits.word[0];
}

// Uniform in 0..bound-1, bound > 0. Takes numbers from *index on, one more
// than once in a while: of the 2^64 values the first 2^64 mod bound are drawn
// again, so that each remainder is left equally often.
constexpr uint64_t UniformBelow(uint64_t bound, uint64_t seed,
                                RandomStream stream, uint64_t* index) {
  const uint64_t rejected = -bound % bound;
  uint64_t bits = 0;
  do {
    bits = RandomBits(seed, stream, (*index)++);
  } while (bits < rejected);
  return bits % bound;
}

// A seed of its own for each step of a run with `seed`, for what is drawn once
// a step: the finaliser of SplitMix64 (Steele et al., OOPSLA 2014), the step-th
// output of that generator.
constexpr uint64_t StepSeed(uint64_t seed, uint64_t step) {
  uint64_t x = seed + (step + 1) * 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_RANDOM_H_

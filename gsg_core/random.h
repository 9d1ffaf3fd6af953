#ifndef GSG_GSG_CORE_RANDOM_H_
#define GSG_GSG_CORE_RANDOM_H_

#include <cstdint>

namespace gsg {

// What a number is drawn for: equal (seed, index) of different streams are
// unrelated.
enum class RandomStream : uint32_t {
  kSelection = 0,
  kPairing = 1,
  kCandidates = 2,
};

// 64 random bits as a function of (seed, stream, index): words 0 (low) and 1
// of Philox4x32-10 (Salmon et al., SC 2011) with key = seed and counter =
// (index, stream, 0), low words first. The same on every platform.
constexpr uint64_t RandomBits(uint64_t seed, RandomStream stream,
                              uint64_t index) {
  uint32_t k0 = static_cast<uint32_t>(seed);
  uint32_t k1 = static_cast<uint32_t>(seed >> 32);
  uint32_t c0 = static_cast<uint32_t>(index);
  uint32_t c1 = static_cast<uint32_t>(index >> 32);
  uint32_t c2 = static_cast<uint32_t>(stream);
  uint32_t c3 = 0;
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53} * c0;
    const uint64_t product1 = uint64_t{0xCD9E8D57} * c2;
    c0 = static_cast<uint32_t>(product1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<uint32_t>(product1);
    c2 = static_cast<uint32_t>(product0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<uint32_t>(product0);
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return uint64_t{c1} << 32 | c0;
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

}  // namespace gsg

#endif  // GSG_GSG_CORE_RANDOM_H_

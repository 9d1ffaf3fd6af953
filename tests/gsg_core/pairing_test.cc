#include "gsg_core/pairing.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "absl/status/status.h"
#include "gsg_core/parse.h"
#include "gsg_core/random.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

using Pairing = std::vector<int64_t>;

bool IsPermutation(Pairing pairing) {
  std::sort(pairing.begin(), pairing.end());
  for (size_t i = 0; i < pairing.size(); ++i) {
    if (pairing[i] != static_cast<int64_t>(i)) return false;
  }
  return true;
}

template <typename Counts>
double ChiSquare(const Counts& counts, double expected) {
  double sum = 0;
  for (const auto& [key, count] : counts) {
    sum += (count - expected) * (count - expected) / expected;
  }
  return sum;
}

// Known answer of Random123 for a zero counter and key; the second and the
// goldens below come from an independent implementation that passes its others.
TEST(RandomTest, KnownAnswers) {
  EXPECT_EQ(RandomBits(0, RandomStream::kSelection, 0), 0xe169c58d6627e8d5u);
  EXPECT_EQ(RandomBits(0x0123456789abcdef, RandomStream::kPairing,
                       0xfedcba9876543210),
            0x5bee5d382b19200bu);
}

TEST(PairingTest, Goldens) {
  EXPECT_EQ(*RandomPairing(8, 1), Pairing({4, 0, 7, 3, 6, 1, 5, 2}));
  EXPECT_EQ(*CyclicPairing(8, 1), Pairing({7, 5, 4, 6, 0, 2, 1, 3}));
  EXPECT_EQ(*CyclicPairing(5, 0x123456789abcdef0), Pairing({4, 3, 1, 0, 2}));
}

TEST(PairingTest, CyclicIsOneCycle) {
  for (int64_t n : {2, 3, 31, 512}) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const Pairing pairing = *CyclicPairing(n, seed);
      ASSERT_TRUE(IsPermutation(pairing));
      int64_t steps = 1;
      for (int64_t i = pairing[0]; i != 0; i = pairing[i]) ++steps;
      EXPECT_EQ(steps, n);
    }
  }
}

TEST(PairingTest, RandomIsAPermutation) {
  for (int64_t n : {1, 2, 31, 512}) {
    EXPECT_TRUE(IsPermutation(*RandomPairing(n, 5))) << n;
  }
}

TEST(PairingTest, RandomIsUniform) {
  std::map<Pairing, int> count;
  constexpr int kSeeds = 4800;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    ++count[*RandomPairing(4, seed)];
  }
  EXPECT_EQ(count.size(), 24u);
  // 23 degrees of freedom, p = 0.001.
  EXPECT_LT(ChiSquare(count, kSeeds / 24.), 49.73);
}

TEST(PairingTest, CyclicIsUniform) {
  std::map<Pairing, int> count;
  constexpr int kSeeds = 4800;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    ++count[*CyclicPairing(5, seed)];
  }
  EXPECT_EQ(count.size(), 24u);  // 4! cycles through five images
  EXPECT_LT(ChiSquare(count, kSeeds / 24.), 49.73);
}

TEST(PairingTest, MakePairingFollowsTheKind) {
  EXPECT_EQ(*MakePairing(PairingKind::kCyclic, 9, 3), *CyclicPairing(9, 3));
  EXPECT_EQ(*MakePairing(PairingKind::kRandom, 9, 3), *RandomPairing(9, 3));
}

TEST(PairingTest, Errors) {
  EXPECT_EQ(CyclicPairing(1, 0).status(),
            absl::InvalidArgumentError(
                "a cyclic pairing of n = 1 images does not exist: each image "
                "needs another one as its second image, so n must be at least "
                "2"));
  EXPECT_EQ(RandomPairing(0, 0).status(),
            absl::InvalidArgumentError(
                "a random pairing of n = 0 images: n must be at least 1"));
  EXPECT_EQ(MakePairing(static_cast<PairingKind>(9), 4, 0).status(),
            absl::InvalidArgumentError("pairing kind 9 is not of PairingKind"));
  EXPECT_EQ(ParsePairingKind("shift").status(),
            absl::InvalidArgumentError(
                "pairing is \"shift\"; use one of cyclic, random, nearest"));
  EXPECT_EQ(MakePairing(PairingKind::kNearest, 4, 0).status(),
            absl::InvalidArgumentError("the nearest pairing is made from "
                                       "projections: use NearestPairing"));
}

TEST(PairingTest, MoreImagesThanMemory) {
  for (const PairingKind kind : {PairingKind::kCyclic, PairingKind::kRandom}) {
    EXPECT_EQ(
        MakePairing(kind, int64_t{1} << 62, 0).status(),
        absl::ResourceExhaustedError("there is no memory for a pairing of n = "
                                     "4611686018427387904 images"));
  }
}

TEST(PairingTest, NamesParse) {
  EXPECT_EQ(*ParsePairingKind("cyclic"), PairingKind::kCyclic);
  EXPECT_EQ(*ParsePairingKind("random"), PairingKind::kRandom);
  EXPECT_EQ(PairingKindName(PairingKind::kCyclic), "cyclic");
  EXPECT_EQ(PairingKindName(PairingKind::kRandom), "random");
  EXPECT_EQ(PairingKindName(PairingKind::kNearest), "nearest");
}

}  // namespace
}  // namespace gsg

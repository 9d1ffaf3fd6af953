#include "trainers/augment/view_random.h"

#include <array>
#include <cstdint>
#include <set>
#include <vector>

#include "gsg_core/random.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

using Block = std::array<uint32_t, 4>;

Block Philox(const PhiloxBlock& counter, uint64_t key) {
  const PhiloxBlock block = Philox4x32(counter, key);
  return {block.word[0], block.word[1], block.word[2], block.word[3]};
}

// The known answers for philox4x32, 10 rounds, of Random123's kat_vectors.
TEST(PhiloxTest, KnownAnswers) {
  EXPECT_EQ(Philox({{0, 0, 0, 0}}, 0),
            (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t f = 0xffffffff;
  EXPECT_EQ(Philox({{f, f, f, f}}, ~uint64_t{0}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}},
                   0x299f31d0a4093822),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(ViewRandomTest, CountsBlocksUnderItsKeyAndCounter) {
  ViewRandom random(/*seed=*/0x0000000700000003, /*epoch=*/5, /*index=*/11,
                    /*view=*/2);
  for (uint32_t block = 0; block < 3; ++block) {
    for (uint32_t expected : Philox({{block, 2, 5, 11}}, 0x0000000700000003)) {
      EXPECT_EQ(random.Bits(), expected) << "block " << block;
    }
  }
}

TEST(ViewRandomTest, EachArgumentGivesAnotherStream) {
  std::set<uint32_t> first = {
      ViewRandom(1, 2, 3, 4).Bits(),
      ViewRandom(2, 2, 3, 4).Bits(),
      ViewRandom(1, 3, 3, 4).Bits(),
      ViewRandom(1, 2, 4, 4).Bits(),
      ViewRandom(1, 2, 3, 5).Bits(),
      ViewRandom(1 + (uint64_t{1} << 32), 2, 3, 4).Bits()};
  EXPECT_EQ(first.size(), 6);
}

TEST(ViewRandomTest, BernoulliIsExactAtTheEnds) {
  ViewRandom random(1, 0, 0, 0);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(random.Bernoulli(0));
    EXPECT_TRUE(random.Bernoulli(1));
  }
}

// 60000 draws from 6 values: each expected 10000 times, standard deviation 91.
TEST(ViewRandomTest, BelowIsUniform) {
  ViewRandom random(1, 0, 0, 0);
  std::vector<int> count(6);
  for (int i = 0; i < 60000; ++i) ++count.at(random.Below(6));
  for (int value = 0; value < 6; ++value) {
    EXPECT_NEAR(count[value], 10000, 5 * 91) << value;
  }
}

// Of n = 3 * 2^30 values, multiplying without rejection would give every
// third twice as often as the others.
TEST(ViewRandomTest, BelowIsUnbiasedForLargeN) {
  ViewRandom random(1, 0, 0, 0);
  std::vector<int> count(3);
  for (int i = 0; i < 30000; ++i) ++count[random.Below(3u << 30) % 3];
  for (int rest = 0; rest < 3; ++rest) {
    EXPECT_NEAR(count[rest], 10000, 5 * 82) << rest;
  }
}

}  // namespace
}  // namespace gsg

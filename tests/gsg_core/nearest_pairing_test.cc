#include "gsg_core/nearest_pairing.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gsg_core/distance.h"
#include "gsg_core/half.h"
#include "gsg_core/internal/kernels.h"
#include "gsg_core/reference_row.h"
#include "gsg_core/rows.h"
#include "gsg_core/thread_pool.h"
#include "gtest/gtest.h"
#include "tests/gsg_core/test_util.h"

namespace gsg {
namespace {

using Pairing = std::vector<int64_t>;

NearestOptions Among(int64_t candidates, uint64_t seed = 0) {
  NearestOptions options;
  options.candidates = candidates;
  options.seed = seed;
  return options;
}

// From an independent implementation of Philox and of Floyd's algorithm.
TEST(NearestCandidatesTest, Golden) {
  EXPECT_EQ(*NearestCandidates(8, 3, 1),
            Pairing({1, 4, 5, 0, 2, 3, 0, 5, 7, 1, 2, 6,  //
                     0, 5, 7, 0, 1, 7, 1, 2, 3, 0, 2, 5}));
}

TEST(NearestCandidatesTest, AreOthersAndDistinct) {
  for (int64_t n : {2, 3, 17}) {
    for (int64_t candidates = 1; candidates < n; ++candidates) {
      const Pairing all = *NearestCandidates(n, candidates, 3);
      for (int64_t i = 0; i < n; ++i) {
        const auto begin = all.begin() + i * candidates;
        const std::set<int64_t> row(begin, begin + candidates);
        EXPECT_EQ(row.size(), static_cast<size_t>(candidates));
        EXPECT_TRUE(std::is_sorted(begin, begin + candidates));
        EXPECT_EQ(row.count(i), 0u);
        EXPECT_GE(*row.begin(), 0);
        EXPECT_LT(*row.rbegin(), n);
      }
    }
  }
}

TEST(NearestCandidatesTest, AreUniform) {
  std::map<Pairing, int> count;  // of the 6 pairs of images that are not 2
  constexpr int kSeeds = 6000;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Pairing all = *NearestCandidates(5, 2, seed);
    ++count[{all[4], all[5]}];
  }
  EXPECT_EQ(count.size(), 6u);
  double chi2 = 0;
  for (const auto& [pair, c] : count) chi2 += (c - 1000.) * (c - 1000.) / 1000;
  EXPECT_LT(chi2, 20.52);  // 5 degrees of freedom, p = 0.001
}

// On a line: image 0 at 0 and 100, image 1 at 40 and 41, image 2 at 99 and 300.
// Image 0 is nearer to 1 on average; its closest view is 2's.
TEST(NearestPairingTest, ByHand) {
  Buffer<double> z1(3, 1), z2(3, 1);
  z1(0, 0) = 0, z1(1, 0) = 40, z1(2, 0) = 99;
  z2(0, 0) = 100, z2(1, 0) = 41, z2(2, 0) = 300;
  const Rows<const double> first = z1.rows(), second = z2.rows();
  EXPECT_EQ(*NearestPairing(first, second, Among(2)), Pairing({2, 0, 0}));
  // As second images they are elsewhere: 1 at 500, 2 at 40.
  Buffer<double> z21(3, 1), z22(3, 1);
  for (auto* z : {&z21, &z22}) {
    (*z)(0, 0) = 98, (*z)(1, 0) = 500, (*z)(2, 0) = 40;
  }
  const Rows<const double> third = z21.rows(), fourth = z22.rows();
  EXPECT_EQ(*NearestPairing(first, second, third, fourth, Among(2)),
            Pairing({2, 2, 0}));
}

TEST(NearestPairingTest, TiesGoToTheLowestImage) {
  Buffer<float> z(5, 2);
  for (int64_t i = 0; i < 5; ++i) z(i, 0) = z(i, 1) = 1;
  const Rows<const float> rows = z.rows();
  EXPECT_EQ(*NearestPairing(rows, rows, Among(4)), Pairing({1, 0, 0, 0, 0}));
}

template <typename T>
class NearestTest : public testing::Test {};
using ElementTypes = testing::Types<float, double, Half, BFloat16>;
TYPED_TEST_SUITE(NearestTest, ElementTypes);

// The image taken is as near as any candidate, in a wider type, up to the error
// of a distance; both forms, every distance and instruction set.
TYPED_TEST(NearestTest, IsTheClosestCandidate) {
  using T = TypeParam;
  using Wide = reference::Wide<T>;
  std::mt19937_64 generator(TestSeed());
  for (int64_t d : {1, 33, 257}) {
    constexpr int64_t kImages = 37;
    std::vector<Buffer<T>> z;
    for (int v = 0; v < 4; ++v) {
      z.emplace_back(kImages, d, v);
      z.back().Fill(generator, std::normal_distribution<double>());
    }
    const auto rows = [&](int v) { return Rows<const T>(z[v].rows()); };
    for (Distance distance : {Distance::kEuclidean, Distance::kSquaredEuclidean,
                              Distance::kCosine}) {
      for (int64_t candidates : {int64_t{1}, int64_t{5}, kImages - 1}) {
        NearestOptions options = Among(candidates, 9);
        options.distance = distance;
        const Pairing drawn = *NearestCandidates(kImages, candidates, 9);
        for (core_internal::Simd simd : SupportedSimd()) {
          const core_internal::ForceSimd force(simd);
          const auto shared = NearestPairing(rows(0), rows(1), options);
          const auto four =
              NearestPairing(rows(0), rows(1), rows(2), rows(3), options);
          ASSERT_TRUE(shared.ok()) << shared.status();
          ASSERT_TRUE(four.ok()) << four.status();
          for (int role : {0, 2}) {  // where second images' views are
            const Pairing& pairing = role == 0 ? *shared : *four;
            for (int64_t i = 0; i < kImages; ++i) {
              const auto between = [&](int64_t j) {
                Wide least = std::numeric_limits<Wide>::infinity();
                for (int a : {0, 1}) {
                  for (int b : {role, role + 1}) {
                    least = std::min(least, reference::DistanceBetween<Wide>(
                                                distance, z[a].rows().row(i),
                                                z[b].rows().row(j), d));
                  }
                }
                return static_cast<double>(least);
              };
              const auto begin = drawn.begin() + i * candidates;
              ASSERT_NE(std::find(begin, begin + candidates, pairing[i]),
                        begin + candidates);
              double least = std::numeric_limits<double>::infinity();
              for (auto j = begin; j != begin + candidates; ++j) {
                least = std::min(least, between(*j));
              }
              ASSERT_LE(between(pairing[i]) - least,
                        2 * CosineError<T>(d) * std::max(1., least))
                  << i << " " << DistanceName(distance);
            }
          }
        }
      }
    }
  }
}

TEST(NearestPairingTest, SameFromEveryExecutor) {
  std::mt19937_64 generator(TestSeed());
  Buffer<float> z1(203, 19), z2(203, 19);
  z1.Fill(generator, std::normal_distribution<double>());
  z2.Fill(generator, std::normal_distribution<double>());
  const Rows<const float> first = z1.rows(), second = z2.rows();
  NearestOptions options = Among(8, 4);
  const Pairing expected = *NearestPairing(first, second, options);
  options.seed = 5;
  EXPECT_NE(*NearestPairing(first, second, options), expected);
  options.seed = 4;
  ThreadPool pool(5);
  options.executor = &pool;
  EXPECT_EQ(*NearestPairing(first, second, options), expected);
}

TEST(NearestPairingTest, Errors) {
  std::vector<Buffer<float>> buffers(4, Buffer<float>(5, 3));
  for (auto& b : buffers) {
    for (int64_t i = 0; i < 5; ++i) {
      for (int64_t c = 0; c < 3; ++c) b(i, c) = i + c;
    }
  }
  const auto error = [&](const NearestOptions& options) {
    return NearestPairing(Rows<const float>(buffers[0].rows()),
                          Rows<const float>(buffers[1].rows()),
                          Rows<const float>(buffers[2].rows()),
                          Rows<const float>(buffers[3].rows()), options)
        .status();
  };
  for (int64_t candidates : {0, 5}) {
    const absl::Status expected = absl::InvalidArgumentError(
        candidates == 0 ? "candidates is 0; there are 5 images, and it must be "
                          "at least 1 and less than that"
                        : "candidates is 5; there are 5 images, and it must be "
                          "at least 1 and less than that");
    EXPECT_EQ(error(Among(candidates)), expected);
    EXPECT_EQ(NearestCandidates(5, candidates, 0).status(), expected);
  }
  const absl::Status one = absl::InvalidArgumentError(
      "a nearest pairing of n = 1 images does not exist: each image needs "
      "another one as its second image, so n must be at least 2");
  EXPECT_EQ(NearestCandidates(1, 1, 0).status(), one);
  EXPECT_EQ(NearestPairing(Rows<const float>(buffers[0].rows().data(), 1, 3),
                           Rows<const float>(buffers[1].rows().data(), 1, 3),
                           Among(1))
                .status(),
            one);
  // A result too large for addresses, and for an int64_t: n * candidates =
  // 2^64.
  EXPECT_EQ(NearestCandidates(int64_t{1} << 62, 1, 0).status(),
            absl::ResourceExhaustedError(
                "there is no memory for 1 candidates of each of n = "
                "4611686018427387904 images"));
  EXPECT_EQ(NearestCandidates(int64_t{1} << 33, int64_t{1} << 31, 0).status(),
            absl::ResourceExhaustedError(
                "there is no memory for 2147483648 candidates of each of n = "
                "8589934592 images"));
  NearestOptions options = Among(1);
  options.distance = static_cast<Distance>(7);
  EXPECT_EQ(error(options),
            absl::InvalidArgumentError(
                "distance is 7, which is not one of its enumerators"));
  EXPECT_EQ(NearestPairing(Rows<const float>(buffers[0].rows()),
                           Rows<const float>(buffers[1].rows().data(), 4, 3),
                           Among(1))
                .status(),
            absl::InvalidArgumentError(
                "z2 is 4 x 3; z1 is 5 x 3; their shapes must be equal"));
  // Also where a row is nobody's candidate.
  for (int v = 0; v < 4; ++v) {
    for (int64_t i = 0; i < 5; ++i) {
      buffers[v](i, 1) = NAN;
      EXPECT_EQ(error(Among(1)).message(),
                std::vector<std::string>({"z11", "z12", "z21", "z22"})[v] +
                    " has nan in row " + std::to_string(i) +
                    ", column 1; all values must be finite");
      buffers[v](i, 1) = 0;
    }
  }
}

}  // namespace
}  // namespace gsg

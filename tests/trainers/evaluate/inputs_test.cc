#include "trainers/evaluate/inputs.h"

#include <sys/resource.h>

#include <cstdint>
#include <limits>

#include "ATen/core/Tensor.h"
#include "ATen/ops/full.h"
#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

// Before the others, since a process's peak does not sink. ImageNet's features
// are 10 GB, which the machine may have once.
TEST(CheckFeaturesTest, MakesNoCopyOfTheFeatures) {
  const auto peak = [] {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;  // KiB
  };
  // Starts threads and loads code.
  ASSERT_TRUE(CheckFeatures("train", at::full({4096, 32}, 1.f)).ok());
  const at::Tensor features = at::full({1 << 16, 1 << 10}, 1.f);  // 256 MiB
  const int64_t before = peak();
  EXPECT_TRUE(CheckFeatures("train", features).ok());
  EXPECT_LT(peak() - before, 32 << 10);
}

TEST(CheckFeaturesTest, FindsEachValueThatIsNotFinite) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kLargest = std::numeric_limits<float>::max();
  const at::Tensor features = at::full({37, 5}, -kLargest);
  features[1].fill_(kLargest);
  EXPECT_TRUE(CheckFeatures("train", features).ok());
  // Lanes of a vector, and what is left behind them.
  for (int64_t i = 0; i < features.numel(); ++i) {
    for (const float value :
         {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()}) {
      const at::Tensor bad = features.clone();
      bad.view(-1)[i].fill_(value);
      EXPECT_TRUE(absl::IsInvalidArgument(CheckFeatures("train", bad)))
          << value << " at " << i;
      // Neither hides the other.
      bad.view(-1)[(i + 20) % bad.numel()].fill_(kInfinity);
      EXPECT_FALSE(CheckFeatures("train", bad).ok()) << value << " at " << i;
    }
  }
}

}  // namespace
}  // namespace gsg

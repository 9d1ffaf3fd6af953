#include "trainers/train/memory_estimate.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trainers/config/config.h"
#include "trainers/config/recipes.h"
#include "trainers/methods/make_method.h"
#include "trainers/methods/method.h"
#include "trainers/optim/make_optimizer.h"
#include "trainers/optim/optimizer.h"

namespace gsg {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(EstimateResourcesTest, GrowsWithTheBatchAndLeavesTheMethodAsItWas) {
  Config config = *RecipeConfig("fashion_mnist");
  config.method = "simsiam_gsg";
  std::unique_ptr<Method> method =
      *MakeMethod(config, /*channels=*/1, c10::Device(c10::kCPU));
  const std::unique_ptr<Optimizer> optimizer =
      MakeOptimizer(config.optimizer, method->ParameterGroups());
  std::vector<at::Tensor> before;
  for (const auto& [name, tensor] : method->State()) {
    before.push_back(tensor.clone());
  }
  config.batch_size = 128;
  const absl::StatusOr<ResourceEstimate> small =
      EstimateResources(config, 1, *method, *optimizer);
  ASSERT_TRUE(small.ok()) << small.status();
  config.batch_size = 1280;
  const absl::StatusOr<ResourceEstimate> large =
      EstimateResources(config, 1, *method, *optimizer);
  ASSERT_TRUE(large.ok()) << large.status();
  // Activations are most of it, and weights do not grow.
  EXPECT_GT(large->memory, 5 * small->memory);
  EXPECT_LT(large->memory, 10 * small->memory);
  EXPECT_EQ(large->disk, small->disk);
  EXPECT_GT(small->disk, 0);
  size_t i = 0;
  for (const auto& [name, tensor] : method->State()) {
    EXPECT_TRUE(tensor.equal(before[i++])) << name;
  }
}

TEST(ResourceWarningTest, NamesWhatIsMissingAndTheFlags) {
  Config config;
  config.batch_size = 1024;
  config.output_dir = "/runs/a";
  const ResourceEstimate estimate = {3'400'000'000, 500'000'000};
  EXPECT_EQ(ResourceWarning(estimate, 4'000'000'000, 1'000'000'000, config),
            "");
  EXPECT_EQ(ResourceWarning(estimate, 0, -1, config), "");
  EXPECT_THAT(ResourceWarning(estimate, 2'900'000'000, 1'000'000'000, config),
              AllOf(HasSubstr("1024 images needs about 3.4 GB"),
                    HasSubstr("2.9 GB are free"), HasSubstr("--batch_size")));
  EXPECT_THAT(ResourceWarning(estimate, 4'000'000'000, 100'000'000, config),
              AllOf(HasSubstr("about 500.0 MB of disk, and 100.0 MB are free"),
                    HasSubstr("/runs/a"), HasSubstr("--keep")));
  EXPECT_THAT(ResourceWarning({0, 6'240'000}, 0, 4'194'304, config),
              HasSubstr("about 6.2 MB of disk, and 4.2 MB are free"));
}

TEST(AvailableMemoryTest, IsKnownHere) { EXPECT_GT(AvailableMemory(), 0); }

}  // namespace
}  // namespace gsg

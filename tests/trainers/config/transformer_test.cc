#include "trainers/config/transformer.h"

#include <cstdint>

#include "gtest/gtest.h"
#include "trainers/config/config.h"

namespace gsg {
namespace {

TEST(TransformerTest, IsOneByItsName) {
  Config config;
  EXPECT_FALSE(IsTransformer(config));
  config.backbone = "vit_small";
  EXPECT_TRUE(IsTransformer(config));
}

// 7 to 14 patches a side of every usual view.
TEST(TransformerTest, CutsUsualViewsIntoSevenToFourteen) {
  Config config;
  for (const int size : {28, 32, 48, 56, 64, 96, 112, 128, 160, 224}) {
    config.augment.size = size;
    const int64_t patch = PatchSize(config);
    EXPECT_EQ(size % patch, 0) << size;
    EXPECT_GE(size / patch, 7) << size;
    EXPECT_LE(size / patch, 14) << size;
  }
  config.patch_size = 32;
  EXPECT_EQ(PatchSize(config), 32);
}

}  // namespace
}  // namespace gsg

#include "trainers/config/fit.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trainers/config/config.h"
#include "trainers/config/recipes.h"
#include "trainers/config/values.h"

namespace gsg {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Field;
using ::testing::Not;

Config Photos() {
  Config config = *RecipeConfig("photos");
  config.method = "simsiam_gsg";
  return config;
}

FitFacts Photographs() {
  FitFacts facts;
  facts.images = 1200;
  facts.side = 160;
  facts.cpus = 8;
  return facts;
}

TEST(FitTest, FitsTheFolderOnACpu) {
  Config config = Photos();
  FitToImages(Photographs(), {}, &config);
  EXPECT_FALSE(config.fit);
  EXPECT_EQ(config.channels, 3);
  EXPECT_EQ(config.augment.size, 64);
  EXPECT_EQ(config.stem, "small_stride2");
  EXPECT_EQ(config.backbone, "resnet_small");
  EXPECT_EQ(config.projector_dim, 256);
  EXPECT_EQ(config.batch_size, 64);
  EXPECT_EQ(config.epochs, 300);
  EXPECT_EQ(config.loader_threads, 2);
  EXPECT_TRUE(Validate(config).ok());
}

TEST(FitTest, AGpuTakesLargerViewsAndMoreThreads) {
  FitFacts facts = Photographs();
  facts.gpu = true;
  Config config = Photos();
  FitToImages(facts, {}, &config);
  EXPECT_EQ(config.augment.size, 160);
  EXPECT_EQ(config.stem, "imagenet");
  EXPECT_EQ(config.backbone, "resnet18");
  EXPECT_EQ(config.projector_dim, 2048);
  EXPECT_EQ(config.loader_threads, 7);
}

TEST(FitTest, ViewsAreNoLargerThanSmallImages) {
  FitFacts facts = Photographs();
  facts.side = 32;
  Config config = Photos();
  FitToImages(facts, {}, &config);
  EXPECT_EQ(config.augment.size, 20);
  EXPECT_EQ(config.stem, "small_stride2");
  facts.gpu = true;
  config = Photos();
  FitToImages(facts, {}, &config);
  EXPECT_EQ(config.augment.size, 32);
  EXPECT_EQ(config.stem, "small");
}

TEST(FitTest, FewLabeledImagesHaveFewNeighbors) {
  FitFacts facts = Photographs();
  Config config = Photos();
  FitToImages(facts, {}, &config);
  EXPECT_EQ(config.knn_k, 200);
  facts.labeled = true;
  for (const auto& [images, k] :
       {std::pair{30, 5}, {1200, 24}, {1000000, 200}}) {
    facts.images = images;
    FitToImages(facts, {}, &config);
    EXPECT_EQ(config.knn_k, k);
  }
}

TEST(FitTest, GrayImagesKeepOneChannel) {
  FitFacts facts = Photographs();
  facts.gray = true;
  Config config = Photos();
  const std::vector<Decision> decisions = FitToImages(facts, {}, &config);
  EXPECT_EQ(config.channels, 1);
  EXPECT_THAT(decisions, Contains(Field(&Decision::flag, "channels")));
}

// A satellite's or a microscope's, whose values may all lie below 4096.
TEST(FitTest, SixteenBitsAreNormalizedAsMeasured) {
  FitFacts facts = Photographs();
  Config config = Photos();
  FitToImages(facts, {}, &config);
  EXPECT_EQ(config.normalize, "auto");
  facts.wide = true;
  FitToImages(facts, {"normalize"}, &config);
  EXPECT_EQ(config.normalize, "auto");
  FitToImages(facts, {}, &config);
  EXPECT_EQ(config.normalize, "measured");
}

TEST(FitTest, ReleasedWeightsHaveTheirStemAndColors) {
  FitFacts facts = Photographs();
  facts.side = 32;
  facts.gray = true;
  Config config = Photos();
  config.init = "resnet18.pth";
  FitToImages(facts, {}, &config);
  EXPECT_EQ(config.backbone, "resnet18");
  EXPECT_EQ(config.stem, "imagenet");
  EXPECT_EQ(config.channels, 3);
  EXPECT_EQ(config.augment.size, 64);
}

TEST(FitTest, ARunGoesOnWithItsNetwork) {
  FitFacts facts = Photographs();
  facts.gray = true;
  facts.channels = 13;
  facts.start = Photos();
  facts.start->backbone = "vit_tiny";
  facts.start->patch_size = 8;
  facts.start->augment.size = 24;
  facts.start->channels = 13;
  facts.start->projector_dim = 256;
  facts.start->base_lr = 7;
  Config config = Photos();
  config.init = "runs/a/checkpoint-last.pt";
  FitToImages(facts, {}, &config);
  EXPECT_EQ(config.backbone, "vit_tiny");
  EXPECT_EQ(config.patch_size, 8);
  EXPECT_EQ(config.augment.size, 24);
  EXPECT_EQ(config.channels, 13);
  EXPECT_EQ(config.projector_dim, 256);
  EXPECT_EQ(config.base_lr, Photos().base_lr);
  EXPECT_TRUE(Validate(config).ok()) << Validate(config);
}

// Its weights have learned from pixels of that mean and deviation.
TEST(FitTest, ARunGoesOnWithItsNormalization) {
  FitFacts facts = Photographs();
  facts.channels = 3;
  facts.wide = true;
  facts.start = Photos();
  facts.start_stats = {{0.3, 0.1, 1. / 3}, {0.1, 0.25, 1}};
  Config config = Photos();
  config.init = "runs/a/checkpoint-last.pt";
  const std::vector<Decision> decisions = FitToImages(facts, {}, &config);
  EXPECT_EQ(config.normalize, "0.3,0.1,0.3333333333333333:0.1,0.25,1");
  EXPECT_THAT(
      decisions,
      Contains(AllOf(Field(&Decision::flag, "normalize"),
                     Field(&Decision::reason, "as the run of --init has it"))));
  EXPECT_TRUE(Validate(config).ok()) << Validate(config);

  facts.start_stats = {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
  FitToImages(facts, {}, &config);
  EXPECT_EQ(config.normalize, "imagenet");
  config.normalize = "measured";
  FitToImages(facts, {"normalize"}, &config);
  EXPECT_EQ(config.normalize, "measured");
  // Its weights will not fit images of other channels.
  config.normalize = "auto";
  facts.channels = 1;
  FitToImages(facts, {"channels"}, &config);
  EXPECT_EQ(config.normalize, "auto");
}

TEST(FitTest, AFlagOverridesOneDecisionAndNoOther) {
  Config fitted = Photos();
  const std::vector<Decision> all = FitToImages(Photographs(), {}, &fitted);
  for (const Decision& decision : all) {
    Config config = Photos();
    const std::vector<Decision> others =
        FitToImages(Photographs(), {decision.flag}, &config);
    EXPECT_EQ(others.size(), all.size() - 1) << decision.flag;
    EXPECT_THAT(others, Not(Contains(Field(&Decision::flag, decision.flag))));
  }
}

// The stem follows from the views that there are.
TEST(FitTest, WhatIsGivenIsTakenIntoAccount) {
  Config config = Photos();
  config.augment.size = 32;
  FitToImages(Photographs(), {"crop_size"}, &config);
  EXPECT_EQ(config.augment.size, 32);
  EXPECT_EQ(config.stem, "small_stride2");
}

TEST(FitTest, ATransformerHasNoStem) {
  Config config = Photos();
  config.backbone = "vit_tiny";
  EXPECT_THAT(FitToImages(Photographs(), {}, &config),
              Not(Contains(Field(&Decision::flag, "stem"))));
  EXPECT_TRUE(Validate(config).ok());
}

TEST(FitTest, WithMinutesTheEpochsAreDecidedLater) {
  Config config = Photos();
  config.minutes = 30;
  EXPECT_THAT(FitToImages(Photographs(), {}, &config),
              Not(Contains(Field(&Decision::flag, "epochs"))));
}

TEST(FitTest, AnyNumberOfImagesGivesAValidConfig) {
  for (const int64_t images : {2, 3, 7, 15, 60, 1000, 20000, 1300000}) {
    for (const bool gpu : {false, true}) {
      FitFacts facts = Photographs();
      facts.images = images;
      facts.gpu = gpu;
      Config config = Photos();
      FitToImages(facts, {}, &config);
      EXPECT_TRUE(Validate(config).ok()) << images;
      EXPECT_LE(config.batch_size, images);
      EXPECT_GE(config.batch_size, 2);
    }
  }
}

TEST(FitTest, FieldsUnlikeTheRecipeAreTheUsers) {
  Config config = Photos();
  EXPECT_THAT(FieldsUnlikeRecipe(config), Not(Contains("batch_size")));
  config.batch_size = 48;
  config.data_dir = "photos";
  EXPECT_THAT(FieldsUnlikeRecipe(config),
              AllOf(Contains("batch_size"), Contains("data_dir")));
}

TEST(SetEpochsTest, WarmUpAndUnguidedEpochsStayFewer) {
  Config config = Photos();
  config.unguided_epochs = 4;
  SetEpochs(3, &config);
  EXPECT_EQ(config.epochs, 3);
  EXPECT_EQ(config.warmup_epochs, 1);
  EXPECT_EQ(config.unguided_epochs, 2);
  EXPECT_TRUE(Validate(config).ok());
  SetEpochs(1, &config);
  EXPECT_TRUE(Validate(config).ok());
}

TEST(LoaderThreadsTest, LeavesTheNetworkItsCpus) {
  EXPECT_EQ(LoaderThreads(/*from_files=*/true, /*gpu=*/false, 1), 1);
  EXPECT_EQ(LoaderThreads(true, false, 16), 4);
  EXPECT_EQ(LoaderThreads(false, false, 16), 1);
  EXPECT_EQ(LoaderThreads(true, true, 16), 15);
}

TEST(FittedNeighborsTest, AreThePapersWithManyImages) {
  EXPECT_EQ(FittedNeighbors(20), 5);
  EXPECT_EQ(FittedNeighbors(600), 12);
  EXPECT_EQ(FittedNeighbors(10000), 200);
  EXPECT_EQ(FittedNeighbors(1281167), 200);
}

}  // namespace
}  // namespace gsg

#include "trainers/config/recipes.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gsg_core/distance.h"
#include "gsg_core/pairing.h"
#include "gsg_core/selection.h"
#include "gtest/gtest.h"
#include "trainers/config/config.h"
#include "trainers/config/json.h"
#include "trainers/config/values.h"

namespace gsg {
namespace {

TEST(RecipesTest, EachIsValidAndDescribed) {
  ASSERT_FALSE(Recipes().empty());
  for (const Recipe& recipe : Recipes()) {
    SCOPED_TRACE(recipe.name);
    const auto config = RecipeConfig(recipe.name);
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_EQ(config->recipe, recipe.name);
    EXPECT_TRUE(Validate(*config).ok()) << Validate(*config);
    EXPECT_THAT(DescribeRecipes(),
                ::testing::HasSubstr(absl::StrCat(
                    recipe.name, "\n    ", recipe.description, "\n    source: ",
                    recipe.source, "\n    cost: ", recipe.cost, "\n")));
  }
}

TEST(RecipesTest, FashionMnistLeavesColorAlone) {
  const Config config = *RecipeConfig("fashion_mnist");
  EXPECT_EQ(config.dataset, "fashion_mnist");
  EXPECT_EQ(config.augment.saturation, 0);
  EXPECT_EQ(config.augment.hue, 0);
  EXPECT_EQ(config.augment.grayscale_prob, 0);
}

// The closing table's row of plain SimSiam is of this recipe, and of no other
// run.
TEST(RecipesTest, PlainSimSiamIsRecordedForTheRecipesOwnRun) {
  Config config = *RecipeConfig("fashion_mnist");
  config.method = "simsiam_gsg";
  config.seed = 7;
  config.threads = 1;
  config.data_dir = "elsewhere";
  ASSERT_TRUE(RecordedPlainSimSiam(config).has_value());
  EXPECT_GT(RecordedPlainSimSiam(config)->linear_top1, 80);
  Config other = config;
  other.epochs = 6;
  EXPECT_FALSE(RecordedPlainSimSiam(other).has_value());
  other = config;
  other.validation = 5000;
  EXPECT_FALSE(RecordedPlainSimSiam(other).has_value());
  other = config;
  other.method = "simsiam";
  EXPECT_FALSE(RecordedPlainSimSiam(other).has_value());
  config = *RecipeConfig("cifar10");
  config.method = "simsiam_gsg";
  EXPECT_FALSE(RecordedPlainSimSiam(config).has_value());
}

// The CIFAR-10 column of the paper.
TEST(RecipesTest, Cifar10IsThePapers) {
  const Config config = *RecipeConfig("cifar10");
  EXPECT_EQ(config.dataset, "cifar10");
  EXPECT_EQ(config.views, "four");
  EXPECT_EQ(config.pairing, PairingKind::kRandom);
  EXPECT_EQ(config.loss.distance, Distance::kEuclidean);
  EXPECT_EQ(config.loss.selection, Selection::kMin);
  EXPECT_EQ(config.backbone, "resnet18");
  EXPECT_EQ(config.stem, "small");
  EXPECT_EQ(config.projector_layers, 2);
  EXPECT_EQ(config.projector_dim, 2048);
  EXPECT_EQ(config.predictor_hidden, 512);
  EXPECT_EQ(config.batch_size, 512);
  EXPECT_EQ(config.epochs, 200);
  EXPECT_EQ(config.base_lr, 0.03);
  EXPECT_EQ(config.optimizer.weight_decay, 5e-4);
  EXPECT_FALSE(config.constant_predictor_lr);
  EXPECT_EQ(config.augment.size, 32);
  EXPECT_EQ(config.augment.blur_prob, 0);
}

// The ImageNet column: the authors' defaults, run with --fix-pred-lr.
TEST(RecipesTest, ImageNetIsTheAuthors) {
  const Config config = *RecipeConfig("imagenet");
  EXPECT_EQ(config.views, "four");
  EXPECT_EQ(config.pairing, PairingKind::kRandom);
  EXPECT_EQ(config.backbone, "resnet50");
  EXPECT_EQ(config.stem, "imagenet");
  EXPECT_TRUE(config.zero_init_residual);
  EXPECT_EQ(config.projector_layers, 3);
  EXPECT_EQ(config.batch_size, 512);
  EXPECT_EQ(config.epochs, 100);
  EXPECT_EQ(config.base_lr, 0.05);
  EXPECT_EQ(config.optimizer.weight_decay, 1e-4);
  EXPECT_TRUE(config.optimizer.decay_bias_and_norm);
  EXPECT_TRUE(config.constant_predictor_lr);
  EXPECT_EQ(config.augment.size, 224);
  EXPECT_EQ(config.augment.blur_prob, 0.5);
}

// What DINO and MoCo v3 say of AdamW; the rest is cifar10_fast's.
TEST(RecipesTest, Cifar10VitWarmsUp) {
  const Config config = *RecipeConfig("cifar10_vit");
  EXPECT_EQ(config.dataset, "cifar10");
  EXPECT_EQ(config.views, "shared");
  EXPECT_EQ(config.backbone, "vit_tiny");
  EXPECT_EQ(config.augment.size % config.patch_size, 0);
  EXPECT_EQ(config.optimizer.name, "adamw");
  EXPECT_EQ(config.base_lr, 5e-4);
  EXPECT_EQ(config.warmup_epochs, 10);
  EXPECT_EQ(config.optimizer.weight_decay, 0.1);
  EXPECT_FALSE(config.optimizer.decay_bias_and_norm);
}

TEST(RecipesTest, TheShortOneIsFashionMnistButForItsCost) {
  Config config = *RecipeConfig("fashion_mnist_short");
  EXPECT_EQ(config.epochs, 1);
  EXPECT_EQ(config.warmup_epochs, 0);
  EXPECT_EQ(config.augment.size, 16);
  EXPECT_EQ(config.knn_bank, 10000);
  const Config whole = *RecipeConfig("fashion_mnist");
  config.recipe = whole.recipe;
  config.epochs = whole.epochs;
  config.warmup_epochs = whole.warmup_epochs;
  config.augment.size = whole.augment.size;
  config.knn_bank = whole.knn_bank;
  EXPECT_EQ(ToJson(config), ToJson(whole));
}

TEST(RecipesTest, TheShortOneOfCifar10HasItsViewsAndFashionMnistsNetwork) {
  const Config config = *RecipeConfig("cifar10_short");
  EXPECT_EQ(config.epochs, 1);
  const Config views = *RecipeConfig("cifar10_fast");
  EXPECT_EQ(config.dataset, views.dataset);
  EXPECT_EQ(config.views, views.views);
  EXPECT_EQ(config.augment.crop_scale_min, views.augment.crop_scale_min);
  EXPECT_EQ(config.augment.hue, views.augment.hue);
  EXPECT_EQ(config.augment.grayscale_prob, views.augment.grayscale_prob);
  const Config network = *RecipeConfig("fashion_mnist");
  EXPECT_EQ(config.backbone, network.backbone);
  EXPECT_EQ(config.stem, network.stem);
  EXPECT_EQ(config.projector_dim, network.projector_dim);
  EXPECT_EQ(config.predictor_hidden, network.predictor_hidden);
  EXPECT_EQ(config.base_lr, network.base_lr);
  EXPECT_EQ(config.batch_size, network.batch_size);
}

TEST(RecipesTest, UnknownNameSaysWhichThereAre) {
  EXPECT_EQ(RecipeConfig("fashion-mnist").status().message(),
            "--recipe=fashion-mnist: unknown recipe; did you mean "
            "fashion_mnist? recipes: fashion_mnist, fashion_mnist_short, "
            "cifar10, cifar10_fast, cifar10_short, cifar10_cpu, cifar10_vit, "
            "cifar100, "
            "imagenette, photos, imagenet");
  EXPECT_EQ(
      RecipeConfig("places").status().message(),
      "--recipe=places: unknown recipe; recipes: fashion_mnist, "
      "fashion_mnist_short, cifar10, cifar10_fast, cifar10_short, cifar10_cpu, "
      "cifar10_vit, cifar100, imagenette, photos, imagenet");
}

}  // namespace
}  // namespace gsg

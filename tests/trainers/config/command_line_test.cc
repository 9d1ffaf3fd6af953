#include "trainers/config/command_line.h"

#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gsg_core/selection.h"
#include "gtest/gtest.h"
#include "trainers/config/config.h"
#include "trainers/config/field.h"
#include "trainers/config/json.h"
#include "trainers/config/recipes.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

absl::StatusOr<CommandLine> ParseAs(absl::string_view method,
                                    std::vector<const char*> flags) {
  flags.insert(flags.begin(), "program");
  return ParseCommandLine(method, "fashion_mnist",
                          static_cast<int>(flags.size()), flags.data());
}

absl::StatusOr<CommandLine> Parse(std::initializer_list<const char*> flags) {
  return ParseAs("simsiam_gsg", flags);
}

std::string ErrorOf(std::initializer_list<const char*> flags) {
  return std::string(Parse(flags).status().message());
}

std::string WriteFile(absl::string_view name, absl::string_view text) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/", name);
  std::ofstream(path) << text;
  return path;
}

class CommandLineTest : public ::testing::Test {
 protected:
  CommandLineTest() { unsetenv("BUILD_WORKING_DIRECTORY"); }
  ~CommandLineTest() override { unsetenv("BUILD_WORKING_DIRECTORY"); }
};

TEST_F(CommandLineTest, WithoutFlagsIsTheDefaultRecipe) {
  const auto line = Parse({});
  ASSERT_TRUE(line.ok()) << line.status();
  Config expected = *RecipeConfig("fashion_mnist");
  expected.method = "simsiam_gsg";
  EXPECT_EQ(ToJson(line->config), ToJson(expected));
  EXPECT_THAT(line->given, IsEmpty());
  EXPECT_EQ(line->print, "");
}

TEST_F(CommandLineTest, TakesEachTypeOfValueInEachSpelling) {
  const auto line =
      Parse({"--recipe=cifar10", "--epochs", "3", "--base_lr=1e-2",
             "--data_dir=/a=b", "--linear_probe", "--zero_init_residual=false",
             "--nodecay_bias_and_norm", "--seed=9007199254740993"});
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->config.recipe, "cifar10");
  EXPECT_EQ(line->config.epochs, 3);
  EXPECT_EQ(line->config.base_lr, 0.01);
  EXPECT_EQ(line->config.data_dir, "/a=b");
  EXPECT_TRUE(line->config.linear_probe);
  EXPECT_FALSE(line->config.zero_init_residual);
  EXPECT_FALSE(line->config.optimizer.decay_bias_and_norm);
  EXPECT_EQ(line->config.seed, 9007199254740993);  // Not a double's.
  EXPECT_THAT(
      line->given,
      ElementsAre("base_lr", "data_dir", "decay_bias_and_norm", "epochs",
                  "linear_probe", "recipe", "seed", "zero_init_residual"));
}

TEST_F(CommandLineTest, FlagsBeatFileBeatsRecipeBeatsDefaults) {
  const std::string file = absl::StrCat(
      "--config=",
      WriteFile("precedence.json",
                R"({"recipe": "cifar10_fast", "epochs": 7, "momentum": 0.5})"));
  const auto line = Parse({"--momentum=0.25", file.c_str()});
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->config.optimizer.momentum, 0.25);  // flag
  EXPECT_EQ(line->config.epochs, 7);                 // file
  EXPECT_EQ(line->config.base_lr, 0.12);             // recipe in the file
  EXPECT_EQ(line->config.knn_k, Config().knn_k);     // default
  EXPECT_EQ(line->config.recipe, "cifar10_fast");
  EXPECT_THAT(line->given, ElementsAre("momentum"));
}

TEST_F(CommandLineTest, FileWithoutRecipeGoesOnTopOfTheChosenOne) {
  const std::string file =
      absl::StrCat("--config=", WriteFile("part.json", R"({"epochs": 7})"));
  const auto line = Parse({"--recipe=cifar10", file.c_str()});
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->config.epochs, 7);
  EXPECT_EQ(line->config.base_lr, 0.03);
  EXPECT_EQ(Parse({file.c_str()})->config.recipe, "fashion_mnist");
}

TEST_F(CommandLineTest, SavedConfigReproducesTheRunButNotItsFolder) {
  Config saved = *RecipeConfig("cifar10");
  saved.method = "byol";
  saved.output_dir = "/runs/1";
  saved.overwrite = true;
  saved.seed = 5;
  const std::string file =
      absl::StrCat("--config=", WriteFile("saved.json", ToJson(saved)));
  const auto line = Parse({file.c_str()});
  ASSERT_TRUE(line.ok()) << line.status();
  Config expected = saved;
  expected.method = "simsiam_gsg";
  expected.output_dir = "";
  expected.overwrite = false;
  EXPECT_EQ(ToJson(line->config), ToJson(expected));
}

TEST_F(CommandLineTest, UnguidedMethodsTakeTwoViewsAndNoSelection) {
  const auto line = ParseAs("byol", {"--recipe=cifar10", "--epochs=3"});
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->config.method, "byol");
  EXPECT_EQ(line->config.views, "shared");
  EXPECT_EQ(line->config.loss.selection, Selection::kNone);
  EXPECT_EQ(ParseAs("simsiam", {"--views=four"})->config.views, "four");
  EXPECT_EQ(ParseAs("byol_gsg", {})->config.loss.selection, Selection::kMin);
}

// A flag that changes nothing is a mistake of the user's.
TEST_F(CommandLineTest, FlagsWithoutEffectAreErrors) {
  const auto error = [](absl::string_view method, const char* flag,
                        const char* other = "--epochs=2") {
    return std::string(ParseAs(method, {flag, other}).status().message());
  };
  EXPECT_EQ(error("simsiam", "--selection=min"),
            "--selection: simsiam is not guided by distances; run simsiam_gsg "
            "for that");
  EXPECT_EQ(error("simsiam", "--selection=none"), "");
  EXPECT_EQ(error("byol", "--distance=cosine"),
            "--distance: byol is not guided by distances; run byol_gsg for "
            "that");
  EXPECT_EQ(error("simsiam_gsg", "--pairing_candidates=2"),
            "--pairing_candidates: of use with --pairing=nearest only");
  EXPECT_EQ(error("byol_gsg", "--pairing_candidates=2", "--pairing=nearest"),
            "");
  EXPECT_EQ(error("simsiam", "--local_crop_size=12"),
            "--local_crop_size: of use with --local_crops only");
  EXPECT_EQ(error("simsiam", "--local_crop_size=12", "--local_crops=2"), "");
  EXPECT_EQ(error("simsiam_gsg", "--selection_temperature=2"),
            "--selection_temperature: of use with --selection=soft only");
  EXPECT_EQ(error("byol_gsg", "--selection_temperature=2", "--selection=soft"),
            "");
  EXPECT_EQ(error("simsiam_gsg", "--selection_margin=0.1", "--selection=soft"),
            "--selection_margin: of use with --selection=margin only");
  EXPECT_EQ(
      error("simsiam_gsg", "--selection_margin=0.1", "--selection=margin"), "");
  EXPECT_EQ(error("simsiam_gsg", "--target_momentum=0.9"),
            "--target_momentum: simsiam_gsg has no momentum encoder; byol has");
  EXPECT_EQ(error("byol_gsg", "--target_momentum=0.9"), "");
  EXPECT_EQ(error("simsiam_gsg", "--lars_coefficient=0.01"),
            "--lars_coefficient: of use with --optimizer=lars only");
  EXPECT_EQ(error("simsiam_gsg", "--lars_coefficient=0.01", "--optimizer=lars"),
            "");
  EXPECT_EQ(error("byol", "--adam_beta1=0.8"),
            "--adam_beta1: of use with --optimizer=adamw only");
  EXPECT_EQ(error("byol", "--adam_beta2=0.8", "--optimizer=lars"),
            "--adam_beta2: of use with --optimizer=adamw only");
  EXPECT_EQ(error("byol", "--adam_beta2=0.8", "--optimizer=adamw"), "");
  EXPECT_EQ(error("byol", "--momentum=0.8", "--optimizer=adamw"),
            "--momentum: --optimizer=adamw has --adam_beta1 in its place");
  EXPECT_EQ(error("byol", "--momentum=0.8", "--optimizer=lars"), "");
  EXPECT_EQ(
      error("byol", "--patch_size=4"),
      "--patch_size: only --backbone=vit_tiny, vit_small and vit_base have "
      "patches");
  EXPECT_EQ(error("byol", "--patch_size=4", "--backbone=vit_small"), "");
  EXPECT_EQ(error("byol", "--stem=imagenet", "--backbone=vit_tiny"),
            "--stem: of use for a ResNet or ConvNeXt; the backbone is "
            "vit_tiny");
  EXPECT_EQ(error("byol", "--stem=small_stride2", "--backbone=convnext_tiny"),
            "");
  EXPECT_EQ(error("byol", "--patch_size=4", "--backbone=convnext_tiny"),
            "--patch_size: only --backbone=vit_tiny, vit_small and vit_base "
            "have patches");
  EXPECT_EQ(error("byol", "--zero_init_residual", "--backbone=convnext_tiny"),
            "--zero_init_residual: of use for a ResNet; the backbone is "
            "convnext_tiny");
  EXPECT_EQ(error("byol", "--zero_init_residual", "--backbone=vit_tiny"),
            "--zero_init_residual: of use for a ResNet; the backbone is "
            "vit_tiny");
  EXPECT_EQ(error("byol", "--predictor_hidden=8", "--predictor=none"),
            "--predictor_hidden: there is no predictor, with --predictor=none");
}

TEST_F(CommandLineTest, ErrorsOfNames) {
  EXPECT_EQ(ErrorOf({"--epoch=3"}),
            "unknown flag --epoch; did you mean --epochs? --help lists them "
            "all");
  EXPECT_EQ(ErrorOf({"--batch-size", "3"}),
            "unknown flag --batch-size; did you mean --batch_size? --help "
            "lists them all");
  EXPECT_EQ(ErrorOf({"--lr=3"}),
            "unknown flag --lr; did you mean --base_lr? --help lists them all");
  EXPECT_EQ(ErrorOf({"-epochs=3"}),
            "unknown flag -epochs; did you mean --epochs? --help lists them "
            "all");
  EXPECT_EQ(ErrorOf({"--xyzzy"}),
            "unknown flag --xyzzy; --help lists them all");
  EXPECT_EQ(ErrorOf({"--noepochs"}),
            "unknown flag --noepochs; did you mean --epochs? --help lists "
            "them all");
  EXPECT_EQ(ErrorOf({"epochs=3"}),
            "unexpected argument \"epochs=3\"; flags are written "
            "--name=value");
  EXPECT_EQ(ErrorOf({"-"}),
            "unexpected argument \"-\"; flags are written --name=value");
  EXPECT_EQ(ErrorOf({"--linear_probe", "false"}),
            "unexpected argument \"false\"; flags are written --name=value");
  EXPECT_EQ(ErrorOf({"--recipe=cifar"}),
            "--recipe=cifar: unknown recipe; did you mean cifar10? recipes: "
            "fashion_mnist, fashion_mnist_short, cifar10, cifar10_fast, "
            "cifar10_short, cifar10_cpu, cifar10_vit, cifar100, imagenette, "
            "photos, imagenet");
  EXPECT_EQ(ErrorOf({"--epochs=1", "--epochs=2"}),
            "--epochs: given 2 times; give it once");
  EXPECT_EQ(ErrorOf({"--linear_probe", "--nolinear_probe"}),
            "--linear_probe: given 2 times; give it once");
}

TEST_F(CommandLineTest, ErrorsOfValues) {
  EXPECT_EQ(ErrorOf({"--distance=euclidian"}),
            "--distance=euclidian: unknown value; did you mean euclidean? "
            "allowed: euclidean, squared_euclidean, cosine");
  EXPECT_EQ(ErrorOf({"--device=tpu9000"}),
            "--device=tpu9000: unknown value; allowed: auto, cpu, cuda");
  EXPECT_EQ(ErrorOf({"--batch_size=0"}), "--batch_size=0: must be at least 2");
  EXPECT_EQ(ErrorOf({"--batch_size=-1"}),
            "--batch_size=-1: must be at least 2");
  EXPECT_EQ(ErrorOf({"--momentum=1.5"}),
            "--momentum=1.5: must be between 0 and 1");
  EXPECT_EQ(ErrorOf({"--base_lr=0"}), "--base_lr=0: must be above 0");
  EXPECT_EQ(ErrorOf({"--pairing=nearest", "--batch_size=16"}),
            "--pairing_candidates=16 is above --batch_size - 1=15");
  EXPECT_EQ(ErrorOf({"--local_crops=2", "--views=four"}),
            "--local_crops=2: local crops are beside the two views of "
            "--views=shared");
  EXPECT_EQ(ErrorOf({"--local_crops=2", "--local_crop_scale_min=0.5"}),
            "--local_crop_scale_min=0.5 is above --local_crop_scale_max=0.4");
  EXPECT_EQ(ErrorOf({"--selection=soft", "--selection_temperature=0"}),
            "--selection_temperature=0: must be above 0");
  EXPECT_EQ(ErrorOf({"--selection=margin", "--selection_margin=1"}),
            "--selection_margin=1: must be below 1; --selection=none guides "
            "no row");
  EXPECT_EQ(ErrorOf({"--epochs=ten"}), "--epochs=ten: must be a whole number");
  EXPECT_EQ(ErrorOf({"--base_lr=1e"}), "--base_lr=1e: must be a number");
  EXPECT_EQ(ErrorOf({"--linear_probe=maybe"}),
            "--linear_probe=maybe: must be true or false");
  EXPECT_EQ(ErrorOf({"--nolinear_probe=maybe"}),
            "--linear_probe=maybe: must be true or false");
  EXPECT_EQ(ErrorOf({"--epochs"}), "--epochs: the value is missing");
  EXPECT_EQ(ErrorOf({"--data_dir=", "--epochs=3"}),
            "--data_dir=: the value is missing");
}

TEST_F(CommandLineTest, ErrorsOfCombinations) {
  EXPECT_EQ(ErrorOf({"--resume"}),
            "--resume needs --output_dir, the folder of the run to continue");
  EXPECT_EQ(ErrorOf({"--resume", "--output_dir=a", "--overwrite"}),
            "--resume continues a run and --overwrite starts it anew: give "
            "one of them");
  const std::string file = absl::StrCat(
      "--config=", WriteFile("fast.json", R"({"recipe": "cifar10_fast"})"));
  EXPECT_EQ(ErrorOf({"--resume", "--output_dir=a", file.c_str()}),
            "--resume goes on with the run's own config: leave --config out");
  EXPECT_EQ(ErrorOf({"--recipe=cifar10", file.c_str()}),
            absl::StrCat("--recipe=cifar10 but ", file,
                         " has recipe cifar10_fast; leave one of them out"));
}

TEST_F(CommandLineTest, ViewsDivideIntoPatches) {
  EXPECT_EQ(ErrorOf({"--backbone=vit_tiny", "--crop_size=30"}),
            "--crop_size=30 does not divide into patches of 4 pixels "
            "(--patch_size): use --crop_size=28 or 32");
  EXPECT_EQ(
      ErrorOf({"--backbone=vit_tiny", "--crop_size=28", "--patch_size=32"}),
      "--crop_size=28 does not divide into patches of 32 pixels "
      "(--patch_size): use --crop_size=32");
  EXPECT_EQ(ErrorOf({"--backbone=vit_tiny", "--crop_size=28"}), "");
  EXPECT_EQ(ErrorOf({"--backbone=convnext_tiny", "--stem=imagenet",
                     "--crop_size=31"}),
            "--crop_size=31 is too small for convnext_tiny with "
            "--stem=imagenet: use --crop_size=32 or more, or a smaller stem");
  EXPECT_EQ(
      ErrorOf({"--backbone=convnext_tiny", "--stem=small_stride2",
               "--crop_size=28", "--local_crops=1", "--local_crop_size=14"}),
      "--local_crop_size=14 is too small for convnext_tiny with "
      "--stem=small_stride2: use --local_crop_size=15 or more, or a "
      "smaller stem");
  EXPECT_EQ(
      ErrorOf({"--backbone=convnext_tiny", "--stem=small", "--crop_size=8"}),
      "");
  EXPECT_EQ(ErrorOf({"--backbone=convnext_tiny", "--stem=imagenet",
                     "--crop_size=32"}),
            "");
  EXPECT_EQ(ErrorOf({"--crop_size=30"}), "");
}

TEST_F(CommandLineTest, ErrorsOfTheConfigFile) {
  const auto missing = Parse({"--config=/no/such.json"});
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(missing.status().message(),
            "--config=/no/such.json: cannot be read, or is empty");
  const std::string folder = absl::StrCat("--config=", ::testing::TempDir());
  EXPECT_EQ(ErrorOf({folder.c_str()}),
            absl::StrCat(folder, ": cannot be read, or is empty"));

  const std::string typo =
      absl::StrCat("--config=", WriteFile("typo.json", R"({"epoch": 3})"));
  EXPECT_EQ(ErrorOf({typo.c_str()}),
            absl::StrCat(typo,
                         ": unknown key \"epoch\"; did you mean epochs? "
                         "see --help"));
  const std::string recipe = absl::StrCat(
      "--config=", WriteFile("recipe.json", R"({"recipe": "cifar11"})"));
  EXPECT_EQ(ErrorOf({recipe.c_str()}),
            "--recipe=cifar11: unknown recipe; did you mean cifar10? recipes: "
            "fashion_mnist, fashion_mnist_short, cifar10, cifar10_fast, "
            "cifar10_short, cifar10_cpu, cifar10_vit, cifar100, imagenette, "
            "photos, imagenet");
  const std::string range =
      absl::StrCat("--config=", WriteFile("range.json", R"({"epochs": 0})"));
  EXPECT_EQ(ErrorOf({range.c_str()}),
            "--epochs=0: must be between 1 and 100000");
}

TEST_F(CommandLineTest, PathsAreRelativeToTheUsersFolder) {
  const std::string folder = ::testing::TempDir();
  setenv("BUILD_WORKING_DIRECTORY", folder.c_str(), 1);
  WriteFile("user.json", R"({"data_dir": "../images"})");
  const auto line = Parse({"--config=user.json", "--output_dir=runs/a"});
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->config.output_dir, absl::StrCat(folder, "runs/a"));
  EXPECT_THAT(line->config.data_dir, HasSubstr("/images"));
  EXPECT_EQ(line->config.data_dir.front(), '/');
}

TEST_F(CommandLineTest, PrintConfigIsWhatWouldRun) {
  const auto line = Parse({"--print_config", "--epochs=3"});
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->print, absl::StrCat(ToJson(line->config), "\n"));
  EXPECT_EQ(FromJson(line->print)->epochs, 3);
  EXPECT_EQ(ErrorOf({"--print_config", "--batch_size=0"}),
            "--batch_size=0: must be at least 2");
}

TEST_F(CommandLineTest, ListRecipesNamesEach) {
  const auto line = Parse({"--list_recipes"});
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->print, DescribeRecipes());
}

TEST_F(CommandLineTest, HelpHasEachFieldOnceInItsGroup) {
  const auto line = Parse({"--help", "--recipe=cifar10_fast"});
  ASSERT_TRUE(line.ok()) << line.status();
  std::string group;
  std::vector<std::string> found;
  for (absl::string_view row : absl::StrSplit(line->print, '\n')) {
    EXPECT_LE(row.size(), 80u) << row;
    if (!row.empty() && row.back() == ':') {
      group = std::string(row.substr(0, row.size() - 1));
    }
    if (row.substr(0, 4) == "  --" && group != "General") {
      const absl::string_view name =
          row.substr(4, row.find_first_of("= ", 4) - 4);
      found.push_back(absl::StrCat(group, "/", name));
    }
  }
  std::vector<std::string> expected;
  VisitFields(Config(), [&](const auto&, const Field& field) {
    EXPECT_FALSE(field.help.empty()) << field.name;
    expected.push_back(absl::StrCat(field.group, "/", field.name));
  });
  EXPECT_EQ(found, expected);
}

TEST_F(CommandLineTest, HelpShowsTheRecipesValuesAndTheAllowedOnes) {
  const std::string help = Parse({"-h", "--recipe=cifar10_fast"})->print;
  EXPECT_THAT(help, HasSubstr("simsiam_gsg --recipe=cifar10_fast --epochs=2"));
  EXPECT_THAT(help, HasSubstr("\n  --base_lr=0.12                learning "
                              "rate = base_lr * batch_size *\n"));
  EXPECT_THAT(help, HasSubstr("\n  --backbone=resnet18           encoder "
                              "[resnet18, resnet34, resnet50,\n"));
  EXPECT_THAT(help, ::testing::Not(HasSubstr("\n\n\n")));
  EXPECT_THAT(help, HasSubstr("images a batch [at least 2]\n"));
  EXPECT_THAT(help, HasSubstr("\n  --crop_ratio_max=1.3333333333333333\n"
                              "                                widest crop"));
}

}  // namespace
}  // namespace gsg

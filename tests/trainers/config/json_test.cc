#include "trainers/config/json.h"

#include <cmath>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trainers/config/config.h"
#include "trainers/config/recipes.h"
#include "trainers/config/resume.h"

namespace gsg {
namespace {

using ::testing::IsEmpty;
using ::testing::StartsWith;

std::string ErrorOf(absl::string_view text) {
  Config config;
  return std::string(OverlayJson(text, &config).message());
}

TEST(JsonTest, EveryRecipeComesBackExactly) {
  for (const Recipe& recipe : Recipes()) {
    Config config = *RecipeConfig(recipe.name);
    config.method = "simsiam_gsg";
    config.output_dir = "runs/\"ü\\\n";
    config.base_lr = std::nextafter(0.1, 1);
    config.seed = 9223372036854775807;
    config.linear_probe = true;
    const auto back = FromJson(ToJson(config));
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_THAT(DifferingFields(config, *back), IsEmpty());
  }
}

TEST(JsonTest, StartsWithTheMethodAndTheFieldsInOrder) {
  Config config;
  config.method = "byol";
  config.base_lr = 5e-4;
  const std::string text = ToJson(config);
  EXPECT_THAT(text, StartsWith("{\n  \"method\": \"byol\",\n"
                               "  \"recipe\": \"fashion_mnist\",\n"
                               "  \"output_dir\": \"\",\n  \"seed\": 0,\n"));
  EXPECT_THAT(text, ::testing::HasSubstr("\"base_lr\": 0.0005,"));
}

// Linux's paths are bytes: a run must find its images again.
TEST(JsonTest, APathThatIsNotUtf8ComesBackExactly) {
  Config config;
  config.output_dir = "\xff";
  config.data_dir = "/caf\xe9/\x80 \xc3\xa9";
  const std::string text = ToJson(config);
  EXPECT_THAT(text, ::testing::HasSubstr("\"bytes\": \"\xc3\xbf\""));
  const absl::StatusOr<Config> read = FromJson(text);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->output_dir, config.output_dir);
  EXPECT_EQ(read->data_dir, config.data_dir);
  EXPECT_EQ(ToJson(*read), text);
}

TEST(FromJsonTest, BytesAreCharactersBelow256) {
  Config config;
  EXPECT_THAT(
      std::string(OverlayJson(R"({"data_dir": {"bytes": "\u0100"}})", &config)
                      .message()),
      ::testing::HasSubstr("\"data_dir\": must be a string"));
}

TEST(FromJsonTest, AFieldThatIsMissingHasItsValueOfNoRecipe) {
  Config config;
  config.epochs = 7;
  config.keep = 5;
  const absl::StatusOr<Config> read =
      FromJson(absl::StrReplaceAll(ToJson(config), {{"  \"keep\": 5,\n", ""}}));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->epochs, 7);
  EXPECT_EQ(read->keep, Config().keep);
}

TEST(FromJsonTest, WantsAMethodAndAllowedValues) {
  const std::string whole = ToJson(Config());
  const auto error = [&](absl::string_view from, absl::string_view to) {
    return std::string(
        FromJson(absl::StrReplaceAll(whole, {{from, to}})).status().message());
  };
  EXPECT_EQ(error("  \"method\": \"\",\n", ""), "key \"method\" is missing");
  EXPECT_EQ(error("\"epochs\": 100", "\"epochs\": 0"),
            "--epochs=0: must be between 1 and 100000");
}

TEST(OverlayJsonTest, SetsWhatIsThereAndLeavesTheRest) {
  Config config;
  config.method = "byol";
  config.output_dir = "here";
  config.optimizer.momentum = 0.5;
  ASSERT_TRUE(OverlayJson(R"({"method": "simsiam", "epochs": 3, "base_lr": 1,
                              "output_dir": "there", "resume": true})",
                          &config)
                  .ok());
  EXPECT_EQ(config.epochs, 3);
  EXPECT_EQ(config.base_lr, 1.0);  // Written as a whole number.
  EXPECT_EQ(config.optimizer.momentum, 0.5);
  // Not of this invocation.
  EXPECT_EQ(config.method, "byol");
  EXPECT_EQ(config.output_dir, "here");
  EXPECT_FALSE(config.resume);
}

TEST(OverlayJsonTest, Errors) {
  EXPECT_EQ(ErrorOf(R"({"epoch": 3})"),
            "unknown key \"epoch\"; did you mean epochs? see --help");
  EXPECT_EQ(ErrorOf(R"({"xyzzy": 3})"), "unknown key \"xyzzy\"; see --help");
  EXPECT_EQ(ErrorOf(R"({"epochs": "3"})"),
            "\"epochs\": must be a whole number, not \"3\"");
  EXPECT_EQ(ErrorOf(R"({"epochs": 3.0})"),
            "\"epochs\": must be a whole number, not 3.0");
  EXPECT_EQ(ErrorOf(R"({"seed": 9223372036854775808})"),
            "\"seed\": must be a whole number, not 9223372036854775808");
  EXPECT_EQ(ErrorOf(R"({"base_lr": null})"),
            "\"base_lr\": must be a number, not null");
  EXPECT_EQ(ErrorOf(R"({"linear_probe": 1})"),
            "\"linear_probe\": must be true or false, not 1");
  EXPECT_EQ(ErrorOf(R"({"views": ["four"]})"),
            "\"views\": must be a string, not [\"four\"]");
  EXPECT_EQ(ErrorOf(R"({"resume": 1})"),
            "\"resume\": must be true or false, not 1");
  EXPECT_EQ(ErrorOf(R"({"epochs": 1, "epochs": 2})"),
            "key \"epochs\" is there twice");
  EXPECT_EQ(ErrorOf("[]"), "must be a JSON object, {\"epochs\": 10, ...}");
  EXPECT_THAT(ErrorOf("{\"epochs\": 1,}"),
              StartsWith("not JSON: parse error at line 1, column 14: "));
  EXPECT_THAT(ErrorOf(""), StartsWith("not JSON: parse error at line 1"));
  EXPECT_EQ(ErrorOf(R"({"epochs": 1E999})"),
            "not JSON: number overflow parsing '1E999'");
}

}  // namespace
}  // namespace gsg

#ifndef GSG_TRAINERS_CONFIG_RECIPES_H_
#define GSG_TRAINERS_CONFIG_RECIPES_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trainers/config/config.h"

namespace gsg {

// Scores on a recipe's test images, percent, with seed 0.
struct RecordedScores {
  double knn_top1;
  double linear_top1;
};

// A named set of values to start from.
struct Recipe {
  absl::string_view name;
  absl::string_view description;
  absl::string_view source;
  absl::string_view cost;
  void (*apply)(Config* config);  // Overrides the defaults of Config.
  // What plain SimSiam reached with these values (docs/studies.md).
  std::optional<RecordedScores> plain_simsiam = std::nullopt;
};

const std::vector<Recipe>& Recipes();

// The defaults of Config, overridden by recipe `name`.
// Errors: kInvalidArgument naming the nearest and all recipes.
absl::StatusOr<Config> RecipeConfig(absl::string_view name);

// A thin ResNet with narrow heads: enough for minutes on a CPU.
void UseSmallNetwork(Config* config);

// The recipe's plain_simsiam, if the run of `config` is guided SimSiam with the
// recipe's own values; the seed may be another.
std::optional<RecordedScores> RecordedPlainSimSiam(const Config& config);

// What each recipe is, where it is from and what it costs, for people.
std::string DescribeRecipes();

}  // namespace gsg

#endif  // GSG_TRAINERS_CONFIG_RECIPES_H_

#ifndef GSG_TRAINERS_CONFIG_RECIPES_H_
#define GSG_TRAINERS_CONFIG_RECIPES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trainers/config/config.h"

namespace gsg {

// A named set of values to start from.
struct Recipe {
  absl::string_view name;
  absl::string_view description;
  absl::string_view source;
  absl::string_view cost;
  void (*apply)(Config* config);  // Overrides the defaults of Config.
};

const std::vector<Recipe>& Recipes();

// The defaults of Config, overridden by recipe `name`.
// Errors: kInvalidArgument naming the nearest and all recipes.
absl::StatusOr<Config> RecipeConfig(absl::string_view name);

// What each recipe is, where it is from and what it costs, for people.
std::string DescribeRecipes();

}  // namespace gsg

#endif  // GSG_TRAINERS_CONFIG_RECIPES_H_

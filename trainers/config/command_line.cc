#include "trainers/config/command_line.h"

#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "trainers/config/config.h"
#include "trainers/config/field.h"
#include "trainers/config/field_flags.h"
#include "trainers/config/flags.h"
#include "trainers/config/json.h"
#include "trainers/config/paths.h"
#include "trainers/config/recipes.h"
#include "trainers/config/values.h"

namespace gsg {
namespace {

constexpr char kGeneral[] = "General";

// Every flag, with its value in `values`.
std::vector<Flag> Flags(const Config& values) {
  std::vector<Flag> flags = {
      HelpFlag("this text, for the chosen recipe"),
      {"list_recipes", Flag::Kind::kSwitch, kGeneral, "what recipes there are",
       ""},
      {"print_config", Flag::Kind::kSwitch, kGeneral,
       "the config that would run, as JSON", ""},
      {"config", Flag::Kind::kValue, kGeneral,
       "JSON file with values, as a run's config.json", "FILE"},
  };
  for (Flag& flag : FieldFlags(values)) flags.push_back(std::move(flag));
  return flags;
}

std::string Introduction(absl::string_view method, absl::string_view recipe) {
  return absl::StrCat(
      method,
      " learns image features without labels, measures them by k-NN\n"
      "classification, and keeps its config, metrics and checkpoints in a "
      "folder.\n\nExample:\n  ",
      method, " --recipe=", recipe,
      " --epochs=2 --output_dir=first_run\n\n"
      "Values below are those of --recipe=",
      recipe,
      ". Flags override --config,\nand --config overrides the recipe.\n");
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return absl::NotFoundError(
        absl::StrCat("--config=", path, ": cannot be read, or is empty"));
  }
  return text.str();
}

// The config before the flags: that of the recipe and of --config.
absl::StatusOr<Config> BaseConfig(const GivenFlags& flags,
                                  absl::string_view default_recipe) {
  const auto recipe = flags.find("recipe");
  const bool has_recipe = recipe != flags.end();
  const std::string chosen(has_recipe ? recipe->second : default_recipe);
  const auto config_file = flags.find("config");
  if (config_file == flags.end()) return RecipeConfig(chosen);

  const std::string path = UserPath(config_file->second);
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  Config file;
  file.recipe.clear();
  if (absl::Status status = OverlayJson(*text, &file); !status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--config=", path, ": ", status.message()));
  }
  if (has_recipe && !file.recipe.empty() && file.recipe != chosen) {
    return absl::InvalidArgumentError(
        absl::StrCat("--recipe=", chosen, " but --config=", path,
                     " has recipe ", file.recipe, "; leave one of them out"));
  }
  absl::StatusOr<Config> config =
      RecipeConfig(file.recipe.empty() ? chosen : file.recipe);
  // That it can be read was seen above; now on top of its recipe.
  if (config.ok()) OverlayJson(*text, &*config).IgnoreError();
  return config;
}

}  // namespace

absl::StatusOr<CommandLine> ParseCommandLine(absl::string_view method,
                                             absl::string_view default_recipe,
                                             int argc,
                                             const char* const* argv) {
  const absl::StatusOr<GivenFlags> flags =
      ParseFlags(Flags(Config()), argc, argv);
  if (!flags.ok()) return flags.status();
  absl::StatusOr<Config> base = BaseConfig(*flags, default_recipe);
  if (!base.ok()) return base.status();

  CommandLine result;
  if (flags->count("help") > 0) {
    result.print = HelpText(Introduction(method, base->recipe), Flags(*base));
    return result;
  }
  if (flags->count("list_recipes") > 0) {
    result.print = DescribeRecipes();
    return result;
  }
  Config& config = result.config;
  config = *std::move(base);
  config.method = std::string(method);
  VisitFields(config, [&](const auto&, const Field& field) {
    std::string name(field.name);
    if (flags->count(name) > 0) result.given.insert(std::move(name));
  });
  absl::Status status = SetFields(*flags, &config);
  status.Update(Validate(config));
  if (config.resume && flags->count("config") > 0) {
    status.Update(absl::InvalidArgumentError(
        "--resume goes on with the run's own config: leave --config out"));
  }
  if (!status.ok()) return status;
  ResolvePaths(&config);
  if (flags->count("print_config") > 0) {
    result.print = absl::StrCat(ToJson(config), "\n");
  }
  return result;
}

}  // namespace gsg

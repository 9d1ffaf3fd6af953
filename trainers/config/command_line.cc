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
#include "gsg_core/status_macros.h"
#include "trainers/config/config.h"
#include "trainers/config/convnext.h"
#include "trainers/config/field.h"
#include "trainers/config/field_flags.h"
#include "trainers/config/flags.h"
#include "trainers/config/json.h"
#include "trainers/config/methods.h"
#include "trainers/config/paths.h"
#include "trainers/config/recipes.h"
#include "trainers/config/transformer.h"
#include "trainers/config/values.h"

namespace gsg {
namespace {

constexpr char kGeneral[] = "General";
constexpr absl::string_view kFolderRecipe = "photos";

// Every flag, with its value in `values`.
std::vector<Flag> Flags(const Config& values) {
  std::vector<Flag> flags = {
      HelpFlag("this text, for the chosen recipe"),
      VersionFlag(),
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

// The recipe as `method` runs it. Recipes are written for guided methods; the
// others learn from two views, each of which is a source.
absl::StatusOr<Config> MethodRecipe(const MethodInfo& method,
                                    absl::string_view recipe) {
  absl::StatusOr<Config> config = RecipeConfig(recipe);
  if (!config.ok()) return config;
  config->method = std::string(method.name);
  if (!method.guided) {
    config->views = "shared";
    config->loss.selection = Selection::kNone;
  }
  return config;
}

// The config before the flags: that of the recipe and of --config.
absl::StatusOr<Config> BaseConfig(const MethodInfo& method,
                                  const GivenFlags& flags,
                                  absl::string_view default_recipe) {
  const auto recipe = flags.find("recipe");
  const bool has_recipe = recipe != flags.end();
  const auto dataset = flags.find("dataset");
  // Of no other recipe do a folder's images have the size.
  const bool folder = dataset != flags.end() && dataset->second == "folder";
  const std::string chosen(has_recipe ? recipe->second
                           : folder   ? kFolderRecipe
                                      : default_recipe);
  const auto config_file = flags.find("config");
  if (config_file == flags.end()) return MethodRecipe(method, chosen);

  const std::string path = UserPath(config_file->second);
  GSG_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  Config file;
  file.recipe.clear();
  if (absl::Status status = OverlayJson(text, &file); !status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--config=", path, ": ", status.message()));
  }
  if (has_recipe && !file.recipe.empty() && file.recipe != chosen) {
    return absl::InvalidArgumentError(
        absl::StrCat("--recipe=", chosen, " but --config=", path,
                     " has recipe ", file.recipe, "; leave one of them out"));
  }
  absl::StatusOr<Config> config =
      MethodRecipe(method, file.recipe.empty() ? chosen : file.recipe);
  // That it can be read was seen above; now on top of its recipe.
  if (config.ok()) OverlayJson(text, &*config).IgnoreError();
  return config;
}

std::string NotGuided(const MethodInfo& method) {
  return absl::StrCat(method.name, " is not guided by distances; run ",
                      method.name, "_gsg for that");
}

struct UnusedField {
  std::string name;
  std::string why;
};

// The fields that other values of `config` make void.
std::vector<UnusedField> UnusedFields(const MethodInfo& method,
                                      const Config& config) {
  const std::string not_guided = NotGuided(method);
  const std::string no_target =
      absl::StrCat(method.name, " has no momentum encoder; byol has");
  const absl::string_view no_local = "of use with --local_crops only";
  const bool transformer = IsTransformer(config);
  const bool resnet = !transformer && !IsConvNext(config);
  const std::string no_resnet =
      absl::StrCat("of use for a ResNet; the backbone is ", config.backbone);
  const std::string no_stem = absl::StrCat(
      "of use for a ResNet or ConvNeXt; the backbone is ", config.backbone);
  constexpr absl::string_view adamw_only = "of use with --optimizer=adamw only";
  struct Rule {
    bool of_use;
    const char* flag;
    absl::string_view why_not;
  };
  const Rule rules[] = {
      {method.guided, "distance", not_guided},
      {method.guided, "pairing", not_guided},
      {method.guided, "pairing_scope", not_guided},
      {method.guided && config.loss.selection != Selection::kNone,
       "unguided_epochs", "nothing is guided later either"},
      {config.pairing == PairingKind::kNearest, "pairing_candidates",
       "of use with --pairing=nearest only"},
      {config.loss.selection == Selection::kSoft, "selection_temperature",
       "of use with --selection=soft only"},
      {config.loss.selection == Selection::kMargin, "selection_margin",
       "of use with --selection=margin only"},
      {method.momentum_encoder, "target_momentum", no_target},
      {method.momentum_encoder, "target_momentum_schedule", no_target},
      {config.local_crops.count > 0, "local_crop_size", no_local},
      {config.local_crops.count > 0, "local_crop_scale_min", no_local},
      {config.local_crops.count > 0, "local_crop_scale_max", no_local},
      {config.optimizer.name == "lars", "lars_coefficient",
       "of use with --optimizer=lars only"},
      {config.optimizer.name != "adamw", "momentum",
       "--optimizer=adamw has --adam_beta1 in its place"},
      {config.optimizer.name == "adamw", "adam_beta1", adamw_only},
      {config.optimizer.name == "adamw", "adam_beta2", adamw_only},
      {!transformer, "stem", no_stem},
      {resnet, "zero_init_residual", no_resnet},
      {transformer, "patch_size",
       "only --backbone=vit_tiny, vit_small and vit_base have patches"},
      {!config.init.empty(), "init_sha256", "there is no --init"},
      {!config.init.empty(), "init_freeze_epochs", "there is no --init"},
      {config.predictor == "mlp", "predictor_hidden",
       "there is no predictor, with --predictor=none"},
  };
  std::vector<UnusedField> unused;
  for (const Rule& rule : rules) {
    if (!rule.of_use) unused.push_back({rule.flag, std::string(rule.why_not)});
  }
  return unused;
}

// Fails if a flag was given that another value makes void.
absl::Status CheckOfUse(const MethodInfo& method, const Config& config,
                        const std::set<std::string>& given) {
  if (!method.guided && config.loss.selection != Selection::kNone) {
    return absl::InvalidArgumentError(
        given.count("selection") > 0
            ? absl::StrCat("--selection: ", NotGuided(method))
            // From a guided method's config.json.
            : absl::StrCat("selection ", SelectionName(config.loss.selection),
                           ": ", NotGuided(method),
                           ", or add --selection=none"));
  }
  for (const UnusedField& field : UnusedFields(method, config)) {
    if (given.count(field.name) == 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("--", field.name, ": ", field.why));
  }
  for (const char* other : {"epochs", "max_steps"}) {
    if (config.minutes == 0 || given.count(other) == 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("--minutes and --", other,
                     " both say how long to train: leave one of them out"));
  }
  return absl::OkStatus();
}

}  // namespace

std::set<std::string> FieldsWithoutEffect(const Config& config) {
  std::set<std::string> names;
  const MethodInfo* method = FindMethod(config.method);
  if (method == nullptr) return names;
  for (const UnusedField& field : UnusedFields(*method, config)) {
    names.insert(field.name);
  }
  return names;
}

absl::StatusOr<CommandLine> ParseCommandLine(absl::string_view method,
                                             absl::string_view default_recipe,
                                             int argc,
                                             const char* const* argv) {
  GSG_ASSIGN_OR_RETURN(const GivenFlags flags,
                       ParseFlags(Flags(Config()), argc, argv));
  const MethodInfo* info = FindMethod(method);
  if (info == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("no method is called \"", method, "\""));
  }
  GSG_ASSIGN_OR_RETURN(Config base, BaseConfig(*info, flags, default_recipe));

  CommandLine result;
  if (flags.count("help") > 0) {
    result.print =
        HelpText(method, Introduction(method, base.recipe), Flags(base));
    return result;
  }
  if (flags.count("version") > 0) {
    result.print = VersionText(method);
    return result;
  }
  if (flags.count("list_recipes") > 0) {
    result.print = DescribeRecipes();
    return result;
  }
  Config& config = result.config;
  config = std::move(base);
  VisitFields(config, [&](const auto&, const Field& field) {
    std::string name(field.name);
    if (flags.count(name) > 0) result.given.insert(std::move(name));
  });
  absl::Status status = SetFields(flags, &config);
  // A recipe's warm-up is for its own number of epochs.
  if (result.given.count("warmup_epochs") == 0 &&
      config.warmup_epochs > config.epochs) {
    config.warmup_epochs = config.epochs / 2;
  }
  status.Update(Validate(config));
  // A run that goes on has its own values; ConfigForResume looks at these.
  if (!config.resume) status.Update(CheckOfUse(*info, config, result.given));
  if (config.resume && flags.count("config") > 0) {
    status.Update(absl::InvalidArgumentError(
        "--resume goes on with the run's own config: leave --config out"));
  }
  if (!status.ok()) return status;
  ResolvePaths(&config);
  if (flags.count("print_config") > 0) {
    result.print = absl::StrCat(ToJson(config), "\n");
  }
  return result;
}

}  // namespace gsg

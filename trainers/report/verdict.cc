#include "trainers/report/verdict.h"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "trainers/config/config.h"
#include "trainers/run/run_state.h"

namespace gsg {
namespace {

// For a shell: 'it'\''s'.
std::string Quoted(const std::string& path) {
  if (path.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
          "_-./=+:,@%") == path.npos) {
    return path;
  }
  return absl::StrCat("'", absl::StrReplaceAll(path, {{"'", "'\\''"}}), "'");
}

std::string Advice(const Config& config) {
  return absl::StrFormat(
      "Try more epochs (--epochs=%d), a lower learning rate (--base_lr=%.2g), "
      "or "
      "a recipe closer to the images (--list_recipes).",
      4 * config.epochs, config.base_lr / 3);
}

std::string WithoutLabels(const Config& config, double untrained,
                          double trained) {
  const std::string score = absl::StrFormat(
      "Two views of an image find each other in %.1f %% of images (%s: %.1f "
      "%%).",
      trained, StartName(config), untrained);
  if (trained > untrained) {
    return absl::StrCat("Training paid, as far as can be told without labels. ",
                        score);
  }
  return absl::StrCat("Training did not pay. ", score, " ", Advice(config));
}

}  // namespace

std::string StartName(const Config& config) {
  return config.init.empty() ? "untrained network" : "starting weights";
}

std::string Verdict(const Config& config, const RunState& state,
                    const Scores& trained, int64_t classes) {
  if (classes == 0) {
    if (std::isnan(state.untrained.view_top1) ||
        std::isnan(trained.view_top1)) {
      return "";
    }
    return WithoutLabels(config, state.untrained.view_top1, trained.view_top1);
  }
  const double knn = trained.knn_top1;
  const double untrained = state.untrained.knn_top1;
  const double pixels = state.raw_pixels.knn_top1;
  if (std::isnan(knn) || std::isnan(untrained)) return "";
  const double chance = 100. / classes;
  if (knn < 1.5 * chance) {
    return absl::StrFormat(
        "Training did not pay: k-NN %.1f %% is near chance (%.1f %% for %d "
        "classes). %s",
        knn, chance, classes, Advice(config));
  }
  if (knn <= untrained) {
    return absl::StrFormat(
        "Training did not pay: k-NN %.1f %% is no better than the %.1f %% of "
        "the %s. %s",
        knn, untrained, StartName(config), Advice(config));
  }
  if (knn <= pixels) {
    return absl::StrFormat(
        "Training paid little: k-NN %.1f %% is better than the %.1f %% of the "
        "%s, and no better than that of raw pixels, %.1f %%. %s",
        knn, untrained, StartName(config), pixels, Advice(config));
  }
  return absl::StrFormat(
      "Training paid: k-NN %.1f %%, %.1f points above the %s and %.1f above "
      "raw "
      "pixels (chance: %.1f %%).",
      knn, knn - untrained, StartName(config), knn - pixels, chance);
}

std::string NextCommands(const Config& config, bool labeled) {
  const std::string run = Quoted(config.output_dir);
  std::string text = "Next:\n";
  // What the programs are called where they were installed, which the wheel
  // says.
  const char* const installed = std::getenv("GSG_COMMAND");
  const auto add = [&](absl::string_view program, absl::string_view flags) {
    const std::string command =
        installed != nullptr
            ? absl::StrCat(installed, " ", program)
            : absl::StrCat("./bazelw run //trainers:", program, " --");
    absl::StrAppend(&text, "  ", command, " --run=", run, flags, "\n");
  };
  add("evaluate", labeled ? ""
                          : " --data_dir=LABELED  (train/CLASS/ and "
                            "val/CLASS/ with images)");
  add("embed", " --images=FOLDER --output=features.npy");
  if (config.backbone != "resnet_small") {
    add("export", " --output=backbone.pt");
  }
  return text;
}

}  // namespace gsg

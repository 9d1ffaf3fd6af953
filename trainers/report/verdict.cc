#include "trainers/report/verdict.h"

#include <cmath>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "trainers/base/path_list.h"
#include "trainers/base/program_command.h"
#include "trainers/config/config.h"
#include "trainers/run/epoch_record.h"
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

// Features that hardly differ from image to image have collapsed: a spread of
// 1 is that of the whole sphere.
constexpr double kCollapsed = 0.2;
constexpr double kFewDimensions = 2;

// " The features ..." of the last epoch, or "".
std::string SpreadWords(const RunState& state, bool* collapsed) {
  if (state.history.empty()) return "";
  const EpochRecord& last = state.history.back();
  if (std::isnan(last.feature_std) || std::isnan(last.effective_rank)) {
    return "";
  }
  *collapsed =
      last.feature_std < kCollapsed || last.effective_rank < kFewDimensions;
  return absl::StrFormat(
      " The features %s: their spread is %.2f (1 is the whole sphere, 0 a "
      "collapse), and they use some %.0f dimensions.",
      last.feature_std < kCollapsed ? "have collapsed"
      : *collapsed                  ? "differ in one direction alone"
                                    : "differ from image to image",
      last.feature_std, last.effective_rank);
}

Worked WithoutLabels(const Config& config, const RunState& state,
                     double trained) {
  bool collapsed = false;
  const std::string spread = SpreadWords(state, &collapsed);
  const double untrained = state.untrained.view_top1;
  const double pixels = state.raw_pixels.view_top1;
  if (std::isnan(untrained) || std::isnan(trained)) {
    if (spread.empty()) return {};
    return {
        absl::StrCat("Whether training paid was not measured",
                     config.baselines ? "." : " (--baselines=false).", spread),
        !collapsed};
  }
  std::string others =
      absl::StrFormat("%s: %.1f %%", StartName(config), untrained);
  if (!std::isnan(pixels)) {
    absl::StrAppendFormat(&others, ", raw pixels: %.1f %%", pixels);
  }
  const std::string score = absl::StrFormat(
      " Two views of an image find each other in %.1f %% of images (%s).",
      trained, others);
  const bool paid = !collapsed && trained > untrained;
  return {
      absl::StrCat(!paid ? "Training did not pay."
                   : trained <= pixels
                       ? "Training paid little: raw pixels find as much."
                       : "Training paid, as far as can be told without labels.",
                   score, spread),
      paid && !(trained <= pixels)};
}

// Has --max_steps ended it after `epochs` epochs?
bool IsCutShort(const Config& config, int64_t epochs) {
  return config.max_steps > 0 && epochs < config.epochs;
}

}  // namespace

std::string Advice(const Config& config) {
  return absl::StrFormat(
      "Try more epochs (--epochs=%d), a lower learning rate (--base_lr=%.2g), "
      "or a recipe closer to the images (--list_recipes).",
      4 * config.epochs, config.base_lr / 3);
}

std::string StartName(const Config& config) {
  return config.init.empty() ? "untrained network" : "starting weights";
}

Worked WhetherItWorked(const Config& config, const RunState& state,
                       const Scores& trained, int64_t classes) {
  if (classes == 0) return WithoutLabels(config, state, trained.view_top1);
  const double knn = trained.knn_top1;
  const double untrained = state.untrained.knn_top1;
  const double pixels = state.raw_pixels.knn_top1;
  if (std::isnan(knn) || std::isnan(untrained)) return {};
  const double chance = 100. / classes;
  if (knn < 1.5 * chance) {
    return {absl::StrFormat("Training did not pay: k-NN %.1f %% is near chance "
                            "(%.1f %% for %d classes).",
                            knn, chance, classes),
            false};
  }
  if (knn <= untrained) {
    return {absl::StrFormat("Training did not pay: k-NN %.1f %% is no better "
                            "than the %.1f %% of the %s.",
                            knn, untrained, StartName(config)),
            false};
  }
  if (knn <= pixels) {
    return {absl::StrFormat(
                "Training paid little: k-NN %.1f %% is better than the %.1f %% "
                "of the %s, and no better than that of raw pixels, %.1f %%.",
                knn, untrained, StartName(config), pixels),
            false};
  }
  return {absl::StrFormat("Training paid: k-NN %.1f %%, %.1f points above the "
                          "%s and %.1f above raw pixels (chance: %.1f %%).",
                          knn, knn - untrained, StartName(config), knn - pixels,
                          chance),
          true};
}

std::string Verdict(const Config& config, const RunState& state,
                    const Scores& trained, int64_t classes) {
  // Without anything to compare with, spread and rank are in the table above.
  if (classes == 0 && std::isnan(state.untrained.view_top1)) return "";
  const Worked worked = WhetherItWorked(config, state, trained, classes);
  if (worked.words.empty() || worked.paid || IsCutShort(config, state.epoch)) {
    return worked.words;
  }
  return absl::StrCat(worked.words, " ", Advice(config));
}

std::string NextCommands(const Config& config, int64_t epochs, bool labeled) {
  const std::string run = Quoted(config.output_dir);
  std::string text = "Next:\n";
  if (IsCutShort(config, epochs)) {
    absl::StrAppendFormat(
        &text,
        "  %s --resume --output_dir=%s --max_steps=0  (trains the rest: "
        "--max_steps=%d ended it in epoch %d of %d)\n",
        TrainingCommand(config.method), run, config.max_steps, epochs + 1,
        config.epochs);
  }
  const auto add = [&](absl::string_view program, absl::string_view flags) {
    absl::StrAppend(&text, "  ", ProgramCommand(program), " --run=", run, flags,
                    "\n");
  };
  add("evaluate", labeled ? ""
                          : " --data_dir=LABELED  (train/CLASS/ and "
                            "val/CLASS/ with images)");
  const std::string images =
      // They take one folder, or archives at one path.
      config.dataset == "folder" && !config.data_dir.empty() &&
              SplitPaths(config.data_dir).size() == 1
          ? Quoted(config.data_dir)
          : "FOLDER";
  add("explore", absl::StrCat(" --images=", images, " --output=answers"));
  add("embed", absl::StrCat(" --images=", images, " --output=features.npy"));
  add("export", " --output=backbone.pt");
  return text;
}

}  // namespace gsg

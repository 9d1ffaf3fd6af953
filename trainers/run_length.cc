#include "trainers/run_length.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/format.h"
#include "trainers/config/config.h"
#include "trainers/config/fit.h"
#include "trainers/config/values.h"
#include "trainers/image/dataset.h"
#include "trainers/image/survey.h"
#include "trainers/run/checkpoint.h"
#include "trainers/run/run_state.h"
#include "trainers/train/trainer.h"

namespace gsg {
namespace {

std::string DecisionLines(const std::vector<Decision>& decisions) {
  size_t width = 0;
  std::vector<std::string> flags;
  for (const Decision& decision : decisions) {
    flags.push_back(absl::StrCat("--", decision.flag, "=", decision.value));
    width = std::max(width, flags.back().size());
  }
  std::string text;
  for (size_t i = 0; i < flags.size(); ++i) {
    absl::StrAppendFormat(&text, "  %-*s  %s\n", static_cast<int>(width),
                          flags[i], decisions[i].reason);
  }
  return text;
}

// Adds the run that `path` is a checkpoint of, if it is one. What cannot be
// read at all is an error later, where the weights are read.
void AddStart(const std::string& path, FitFacts* facts) {
  if (path.empty()) return;
  const absl::StatusOr<Checkpoint> checkpoint = LoadCheckpoint(path);
  if (!checkpoint.ok()) return;
  absl::StatusOr<SavedRun> run = StateFromJson(checkpoint->meta);
  if (!run.ok()) return;
  run->config.channels = run->state.channel_mean.size();
  facts->start = std::move(run->config);
  facts->start_stats = {std::move(run->state.channel_mean),
                        std::move(run->state.channel_std)};
}

}  // namespace

absl::StatusOr<std::string> FitRun(std::set<std::string> given, bool gpu,
                                   int cpus, Config* config,
                                   std::optional<Dataset>* dataset) {
  given.merge(FieldsUnlikeRecipe(*config));
  FitFacts facts;
  AddStart(config->init, &facts);
  const bool as_start = facts.start.has_value() && given.count("channels") == 0;
  const int64_t channels = as_start ? facts.start->channels : config->channels;
  GSG_ASSIGN_OR_RETURN(
      Dataset read, LoadDataset(config->dataset,
                                DataPlace{config->data_dir, config->data_list},
                                static_cast<int>(channels)));
  GSG_ASSIGN_OR_RETURN(const Survey survey, SurveyImages(*read.train));
  facts.images = survey.images - config->validation;
  facts.channels = read.train->channels();
  facts.side = survey.side;
  facts.gray = survey.gray;
  facts.wide = survey.wide;
  facts.from_files = read.train->fixed_size().height == 0;
  facts.labeled = read.labeled();
  facts.gpu = gpu;
  facts.cpus = cpus;
  const std::vector<Decision> decisions = FitToImages(facts, given, config);
  GSG_RETURN_IF_ERROR(Validate(*config));
  if (read.train->channels() == config->channels) *dataset = std::move(read);
  if (decisions.empty()) return "";
  return absl::StrCat(
      "Fitted to the images and the machine (a flag takes its line's place):\n",
      DecisionLines(decisions));
}

int64_t EpochsWithin(absl::Duration limit, const RunCost& cost) {
  const absl::Duration left = limit - cost.before - cost.after;
  return std::max<int64_t>(1, left / cost.an_epoch());
}

std::string LengthText(int64_t epochs, const RunCost& cost) {
  return absl::StrCat(epochs, epochs == 1 ? " epoch of " : " epochs of ",
                      HumanDuration(cost.an_epoch()), ": about ",
                      HumanDuration(epochs * cost.an_epoch() + cost.after),
                      " to the report");
}

}  // namespace gsg

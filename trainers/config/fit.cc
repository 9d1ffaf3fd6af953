#include "trainers/config/fit.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "trainers/config/command_line.h"
#include "trainers/config/config.h"
#include "trainers/config/recipes.h"
#include "trainers/config/resume.h"
#include "trainers/config/values.h"
#include "trainers/image/channel_stats.h"

namespace gsg {
namespace {

// Views are no larger than images; on a CPU smaller, to see more of them in the
// same time, and small enough to come to an end. Released weights shrink them
// to 1/32, and have learned from large ones.
int64_t CropSize(const FitFacts& facts, bool released) {
  constexpr int64_t kSides[] = {224, 160, 128, 96, 64, 48, 40, 32, 28, 24, 20};
  const bool small = !facts.gpu && !released;
  const int64_t most = facts.gpu ? 224 : 64;
  const int64_t least = released ? 64 : small ? 20 : 28;
  const int64_t room = small ? facts.side * 5 / 8 : facts.side;
  for (int64_t side : kSides) {
    if (side <= std::min(most, room)) return std::max(side, least);
  }
  return least;
}

// The smaller the views, the less the first layers may shrink them; what they
// do not, a CPU has to compute.
absl::string_view Stem(int64_t crop, bool gpu) {
  if (crop > 64) return "imagenet";
  return crop > 32 || !gpu ? "small_stride2" : "small";
}

// Some fifteen steps or more an epoch, while statistics are still of a batch.
int64_t BatchSize(int64_t images) {
  int64_t size = 8;
  while (size < 256 && 2 * size <= images / 15) size *= 2;
  return std::max<int64_t>(2, std::min(size, images));
}

// The --normalize that gives these.
std::string NormalizeText(const ChannelStats& stats) {
  const ChannelStats imagenet =
      ImageNetChannels(static_cast<int>(stats.mean.size()));
  if (stats.mean == imagenet.mean && stats.std == imagenet.std) {
    return "imagenet";
  }
  const auto add = [](std::string* out, double value) {
    absl::StrAppend(out, ValueText(value));
  };
  return absl::StrCat(absl::StrJoin(stats.mean, ",", add), ":",
                      absl::StrJoin(stats.std, ",", add));
}

// As many images seen in all, whatever the folder's size, within bounds.
int64_t Epochs(const FitFacts& facts) {
  const int64_t seen = facts.gpu ? 4000000 : 360000;
  const int64_t fewest = facts.gpu ? 100 : 20;
  const int64_t most = facts.gpu ? 800 : 400;
  return std::clamp(seen / facts.images, fewest, most);
}

// Keeps what was decided, and what must not be.
class Fitter {
 public:
  Fitter(const std::set<std::string>& given, Config* config)
      : given_(given), config_(*config) {}

  template <class Value>
  void Set(absl::string_view flag, const Value& fit, absl::string_view reason,
           Value* value) {
    const std::string name(flag);
    if (given_.count(name) > 0) return;
    if (FieldsWithoutEffect(config_).count(name) > 0) return;
    *value = fit;
    decisions_.push_back({name, ValueText(fit), std::string(reason)});
  }

  // The network and the size of views that suit the images.
  void ChooseNetwork(const FitFacts& facts) {
    const bool released = !config_.init.empty();
    constexpr absl::string_view kReleased = "as released weights have it";
    if (config_.dataset == "folder") {
      Set("channels", int64_t{facts.gray && !released ? 1 : 3},
          released     ? kReleased
          : facts.gray ? "no image has any color"
                       : "there is color",
          &config_.channels);
    }
    Set("crop_size", CropSize(facts, released),
        absl::StrCat("the median image's shorter side has ", facts.side,
                     " pixels"),
        &config_.augment.size);
    Set("stem",
        std::string(released ? "imagenet"
                             : Stem(config_.augment.size, facts.gpu)),
        released
            ? std::string(kReleased)
            : absl::StrCat("for views of ", config_.augment.size, " pixels"),
        &config_.stem);
    if (facts.gpu || released) return;
    Config thin;
    UseSmallNetwork(&thin);
    constexpr absl::string_view kThin = "which a CPU trains in minutes";
    Set("backbone", thin.backbone, kThin, &config_.backbone);
    SetHeads(thin, kThin);
  }

  // Those of the run whose weights are the start, and what its network has
  // learned to see.
  void TakeNetwork(const FitFacts& facts) {
    const Config& run = *facts.start;
    const ChannelStats& stats = facts.start_stats;
    constexpr absl::string_view kReason = "as the run of --init has it";
    if (config_.dataset == "folder") {
      Set("channels", run.channels, kReason, &config_.channels);
    }
    // Of other channels the network is none for these images, which is an error
    // where its weights are read.
    if (static_cast<int64_t>(stats.mean.size()) == facts.channels) {
      Set("normalize", NormalizeText(stats), kReason, &config_.normalize);
    }
    Set("crop_size", run.augment.size, kReason, &config_.augment.size);
    Set("backbone", run.backbone, kReason, &config_.backbone);
    Set("stem", run.stem, kReason, &config_.stem);
    Set("patch_size", run.patch_size, kReason, &config_.patch_size);
    SetHeads(run, kReason);
  }

  std::vector<Decision> decisions() const { return decisions_; }

 private:
  void SetHeads(const Config& like, absl::string_view reason) {
    Set("projector_layers", like.projector_layers, reason,
        &config_.projector_layers);
    Set("projector_hidden", like.projector_hidden, reason,
        &config_.projector_hidden);
    Set("projector_dim", like.projector_dim, reason, &config_.projector_dim);
    Set("predictor_hidden", like.predictor_hidden, reason,
        &config_.predictor_hidden);
  }

  const std::set<std::string>& given_;
  Config& config_;
  std::vector<Decision> decisions_;
};

}  // namespace

int64_t FittedNeighbors(int64_t images) {
  // A part of what a class has, of some tens of classes.
  return std::clamp<int64_t>(images / 50, 5, 200);
}

std::vector<Decision> FitToImages(const FitFacts& facts,
                                  const std::set<std::string>& given,
                                  Config* config) {
  Fitter fitter(given, config);
  const std::string images = absl::StrCat(facts.images, " images");
  if (facts.start.has_value()) {
    fitter.TakeNetwork(facts);
  } else {
    fitter.ChooseNetwork(facts);
  }
  if (config->dataset == "folder" && facts.wide && config->init.empty()) {
    fitter.Set("normalize", std::string("measured"),
               "values of 16 bits, of which cameras use a part",
               &config->normalize);
  }
  fitter.Set("batch_size", BatchSize(facts.images),
             absl::StrCat(images, ": enough steps an epoch"),
             &config->batch_size);
  if (given.count("epochs") == 0 && config->minutes == 0) {
    SetEpochs(Epochs(facts), config);
    fitter.Set("epochs", config->epochs,
               absl::StrCat(images, facts.gpu ? " on a GPU" : " on a CPU"),
               &config->epochs);
  }
  if (facts.labeled) {
    fitter.Set("knn_k", FittedNeighbors(facts.images),
               absl::StrCat(images, ": a class has few"), &config->knn_k);
  }
  fitter.Set("loader_threads",
             LoaderThreads(facts.from_files, facts.gpu, facts.cpus),
             absl::StrCat(facts.cpus, facts.cpus == 1 ? " CPU" : " CPUs",
                          facts.gpu ? " to feed the GPU"
                                    : ", which the network needs, too"),
             &config->loader_threads);
  config->fit = false;
  return fitter.decisions();
}

std::set<std::string> FieldsUnlikeRecipe(const Config& config) {
  std::set<std::string> names;
  absl::StatusOr<Config> recipe = RecipeConfig(config.recipe);
  if (!recipe.ok()) return names;
  recipe->method = config.method;
  for (const FieldDifference& field : DifferingFields(*recipe, config)) {
    names.insert(field.name);
  }
  return names;
}

int64_t LoaderThreads(bool from_files, bool gpu, int cpus) {
  if (gpu) return std::max(1, cpus - 1);
  return from_files ? std::max(1, cpus / 4) : 1;
}

void SetEpochs(int64_t epochs, Config* config) {
  config->epochs = epochs;
  config->warmup_epochs = std::min(config->warmup_epochs, epochs / 2);
  config->unguided_epochs = std::min(config->unguided_epochs, epochs - 1);
  config->init_freeze_epochs = std::min(config->init_freeze_epochs, epochs - 1);
}

}  // namespace gsg

#include "trainers/run/saved_network.h"

#include <c10/core/Device.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gsg_core/status_macros.h"
#include "models/backbone.h"
#include "models/make_backbone.h"
#include "models/module_state.h"
#include "models/siamese.h"
#include "trainers/image/channel_stats.h"
#include "trainers/methods/make_method.h"
#include "trainers/run/checkpoint.h"
#include "trainers/run/good_checkpoints.h"
#include "trainers/run/run_state.h"
#include "trainers/weights/backbone_weights.h"
#include "trainers/weights/weight_file.h"

namespace gsg {
namespace {

constexpr char kBackbone[] = "backbone.";

void MakeReady(Backbone& backbone, c10::Device device) {
  PlaceModule(backbone.module(), device);
  SetModuleTraining(backbone.module(), false);
}

NamedTensors BackboneOf(const Checkpoint& checkpoint) {
  NamedTensors backbone;
  for (const auto& [name, tensor] : checkpoint.model) {
    if (absl::StartsWith(name, kBackbone)) backbone.emplace_back(name, tensor);
  }
  return backbone;
}

// What to say of a checkpoint that could not be read: why, and what else is
// there.
absl::Status WithAdvice(const absl::Status& status, const std::string& path) {
  if (!absl::IsNotFound(status) && !absl::IsDataLoss(status)) return status;
  std::string folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  const std::vector<GoodCheckpoint> good = GoodCheckpoints(folder, path);
  std::string message = absl::IsNotFound(status)
                            ? absl::StrCat("there is no checkpoint ", path)
                            : std::string(status.message());
  if (!good.empty()) {
    absl::StrAppend(
        &message, good.size() == 1 ? ". This one is good" : ". These are good",
        ": ",
        absl::StrJoin(good, ", or ",
                      [](std::string* out, const GoodCheckpoint& checkpoint) {
                        absl::StrAppend(out, "--checkpoint=", checkpoint.path,
                                        " (", checkpoint.Progress(), ")");
                      }));
  } else if (absl::IsNotFound(status)) {
    absl::StrAppend(&message,
                    "; --run is a trainer's --output_dir, and the trainer "
                    "writes its first checkpoint before the first epoch");
  } else {
    absl::StrAppend(&message, ". There is no other checkpoint in ", folder,
                    " that is good: take a copy of it, or train again");
  }
  return absl::Status(status.code(), message);
}

}  // namespace

absl::StatusOr<SavedNetwork> LoadNetwork(const std::string& checkpoint_path,
                                         c10::Device device) {
  absl::StatusOr<Checkpoint> checkpoint = LoadCheckpoint(checkpoint_path);
  if (!checkpoint.ok()) return WithAdvice(checkpoint.status(), checkpoint_path);
  GSG_ASSIGN_OR_RETURN(SavedRun run, StateFromJson(checkpoint->meta));

  SavedNetwork network;
  network.config = std::move(run.config);
  network.state = std::move(run.state);
  GSG_ASSIGN_OR_RETURN(const SiameseOptions options,
                       NetworkOptions(network.config, network.channels()));
  GSG_ASSIGN_OR_RETURN(std::shared_ptr<Backbone> backbone,
                       MakeBackbone(options.backbone));
  GSG_RETURN_IF_ERROR(CopyTensors("model", BackboneOf(*checkpoint),
                                  ModuleState(kBackbone, backbone->module())));
  network.backbone = std::move(backbone);
  MakeReady(*network.backbone, device);
  return network;
}

absl::StatusOr<SavedNetwork> LoadReleasedNetwork(const std::string& path,
                                                 c10::Device device) {
  GSG_ASSIGN_OR_RETURN(const WeightFile file, ReadWeightFile(path));
  if (file.of_run) {
    // Its images had a size and a normalization of their own.
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is a checkpoint of a run, not released weights: ",
                     "use --checkpoint=", path));
  }
  const std::optional<BackboneGuess> guess = GuessBackbone(file.tensors);
  if (!guess.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": which network is it of? Its first tensor is ",
        file.tensors.front().first,
        "; ResNets, Vision Transformers and ConvNeXt-T with the names of "
        "torchvision or timm are known"));
  }
  SavedNetwork network;
  network.config.method = "weights";
  network.config.dataset = "folder";
  network.config.backbone = guess->backbone;
  network.config.patch_size = guess->patch_size;
  network.config.stem = "imagenet";
  network.config.augment.size = guess->image_size > 0 ? guess->image_size : 224;
  const ChannelStats stats = ImageNetChannels(3);
  network.state.channel_mean = stats.mean;
  network.state.channel_std = stats.std;
  GSG_ASSIGN_OR_RETURN(const SiameseOptions options,
                       NetworkOptions(network.config, network.channels()));
  GSG_ASSIGN_OR_RETURN(network.backbone, MakeBackbone(options.backbone));
  GSG_RETURN_IF_ERROR(
      LoadBackboneWeights(file.tensors, path, *network.backbone).status());
  MakeReady(*network.backbone, device);
  return network;
}

}  // namespace gsg

#include "trainers/weights/backbone_weights.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "models/backbone.h"
#include "models/module_state.h"
#include "models/positions.h"
#include "trainers/weights/torch_archive.h"

namespace gsg {
namespace {

constexpr char kPositions[] = "encoder.pos_embedding";
constexpr char kBatches[] = "num_batches_tracked";
// Of a ConvNeXt: the stem, and the first convolution behind it, here and in
// timm.
constexpr char kStem[] = "features.0.0.weight";
constexpr char kDepthwise[] = "features.1.0.block.0.weight";
constexpr char kTimmDepthwise[] = "stages.0.blocks.0.conv_dw.weight";

// What the first part of the name is of what is not the backbone's: heads, in
// torchvision, timm, and the checkpoints of self-supervised methods.
constexpr absl::string_view kHeads[] = {"fc",
                                        "head",
                                        "heads",
                                        "head_dist",
                                        "classifier",
                                        "projector",
                                        "projection_head",
                                        "predictor",
                                        "prototypes",
                                        "mlp",
                                        "contrastive_head",
                                        "mask_token"};

// Networks that are there for training, in the order in which they are wanted
// least.
constexpr absl::string_view kLessWanted[] = {"encoder_k", "momentum", "target",
                                             "student", "optimizer"};

// "features.5.1.block.0.weight" -> "stages.2.blocks.1.conv_dw.weight": of a
// ConvNeXt, as timm has it.
std::string TimmConvNextName(absl::string_view name) {
  if (absl::ConsumePrefix(&name, "classifier.0.")) {
    return absl::StrCat("head.norm.", name);
  }
  std::vector<std::string> parts =
      absl::StrSplit(name, absl::MaxSplits('.', 2));
  int64_t part;  // 0 the stem, then stages and what is in front of them
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[1], &part)) {
    return std::string(name);
  }
  if (part == 0) return absl::StrCat("stem.", parts[2]);
  if (part % 2 == 0) {
    return absl::StrCat("stages.", part / 2, ".downsample.", parts[2]);
  }
  return absl::StrCat(
      "stages.", part / 2, ".blocks.",
      absl::StrReplaceAll(parts[2], {{".layer_scale", ".gamma"},
                                     {".block.0.", ".conv_dw."},
                                     {".block.2.", ".norm."},
                                     {".block.3.", ".mlp.fc1."},
                                     {".block.5.", ".mlp.fc2."}}));
}

bool IsConvNextName(absl::string_view name) {
  return absl::StartsWith(name, "features.") ||
         absl::StartsWith(name, "classifier.");
}

// timm's name of a tensor of ours. ResNets have the same in both.
std::string TimmName(const std::string& name) {
  if (IsConvNextName(name)) return TimmConvNextName(name);
  return absl::StrReplaceAll(name,
                             {{"class_token", "cls_token"},
                              {"conv_proj.", "patch_embed.proj."},
                              {"encoder.pos_embedding", "pos_embed"},
                              {"encoder.layers.encoder_layer_", "blocks."},
                              {"encoder.ln.", "norm."},
                              {".ln_1.", ".norm1."},
                              {".ln_2.", ".norm2."},
                              {".self_attention.in_proj_", ".attn.qkv."},
                              {".self_attention.out_proj.", ".attn.proj."},
                              {".mlp.0.", ".mlp.fc1."},
                              {".mlp.3.", ".mlp.fc2."}});
}

// The names that a tensor of ours, which has torchvision's, has elsewhere.
std::vector<std::string> NamesOf(const std::string& name) {
  std::vector<std::string> names = {name};
  // torchvision's own files of Vision Transformers have the names of its first
  // version; its module renames them as it loads.
  std::string first = absl::StrReplaceAll(
      name, {{".mlp.0.", ".mlp.linear_1."}, {".mlp.3.", ".mlp.linear_2."}});
  if (first != name) names.push_back(std::move(first));
  std::string timm = TimmName(name);
  if (timm != name) names.push_back(std::move(timm));
  return names;
}

int Unwantedness(absl::string_view prefix) {
  for (size_t i = 0; i < std::size(kLessWanted); ++i) {
    if (absl::StrContains(prefix, kLessWanted[i])) {
      return static_cast<int>(std::size(kLessWanted) - i);
    }
  }
  return 0;
}

// The prefix behind which most of the backbone's names are.
std::string FindPrefix(const NamedTensors& file,
                       const std::map<std::string, std::string>& own_names) {
  std::map<std::string, std::set<std::string>> found;
  for (const auto& [name, tensor] : file) {
    for (size_t start = 0; start != std::string::npos;) {
      const auto own = own_names.find(name.substr(start));
      if (own != own_names.end()) {
        found[name.substr(0, start)].insert(own->second);
      }
      const size_t dot = name.find('.', start);
      start = dot == std::string::npos ? dot : dot + 1;
    }
  }
  std::string best;
  size_t most = 0;
  for (const auto& [prefix, names] : found) {
    const bool more = names.size() > most;
    const bool as_many = names.size() == most;
    if (more || (as_many && Unwantedness(prefix) < Unwantedness(best))) {
      best = prefix;
      most = names.size();
    }
  }
  return best;
}

bool IsHead(absl::string_view name) {
  const absl::string_view first = name.substr(0, name.find('.'));
  return std::find(std::begin(kHeads), std::end(kHeads), first) !=
         std::end(kHeads);
}

std::string Shape(const at::Tensor& tensor) {
  return absl::StrCat("[", absl::StrJoin(tensor.sizes(), ", "), "]");
}

// "a, b, c and 4 more"
std::string FirstFew(const std::vector<std::string>& names) {
  constexpr size_t kFew = 3;
  const size_t shown = std::min(kFew, names.size());
  std::string text = absl::StrJoin(names.begin(), names.begin() + shown, ", ");
  if (names.size() > shown) {
    absl::StrAppend(&text, " and ", names.size() - shown, " more");
  }
  return text;
}

// [1, 1 + side * side, C] -> side, or 0.
int64_t GridSide(const at::Tensor& positions) {
  if (positions.dim() != 3 || positions.size(0) != 1) return 0;
  const auto side = static_cast<int64_t>(
      std::lround(std::sqrt(static_cast<double>(positions.size(1) - 1))));
  return side * side == positions.size(1) - 1 ? side : 0;
}

// [C, 1, 1] -> [C]
std::vector<int64_t> WithoutLastOnes(const at::Tensor& tensor) {
  std::vector<int64_t> sizes = tensor.sizes().vec();
  while (!sizes.empty() && sizes.back() == 1) sizes.pop_back();
  return sizes;
}

// Has a ConvNeXt's tensor further dimensions of 1 in other libraries? timm has
// layer scales of [C], not [C, 1, 1]; where a Linear is a convolution of 1x1,
// its weight is [O, I, 1, 1].
bool MayDifferInLastOnes(absl::string_view name) {
  return absl::StartsWith(name, "features.") &&
         (absl::EndsWith(name, ".layer_scale") ||
          absl::EndsWith(name, ".block.3.weight") ||
          absl::EndsWith(name, ".block.5.weight"));
}

// Of a ConvNeXt whose tensors these are, behind their prefix.
std::optional<BackboneGuess> GuessConvNext(
    const std::map<std::string, at::Tensor>& tensors, bool timm) {
  std::vector<int> blocks;
  for (int stage = 0; stage < 4; ++stage) {
    const std::string place =
        timm ? absl::StrCat("stages.", stage, ".blocks.")
             : absl::StrCat("features.", 2 * stage + 1, ".");
    const char* scale = timm ? ".gamma" : ".layer_scale";
    int count = 0;
    while (tensors.count(absl::StrCat(place, count, scale)) > 0) ++count;
    blocks.push_back(count);
  }
  const at::Tensor& depthwise = tensors.at(timm ? kTimmDepthwise : kDepthwise);
  if (depthwise.sizes() == at::IntArrayRef({96, 1, 7, 7}) &&
      blocks == std::vector<int>{3, 3, 9, 3}) {
    return BackboneGuess{"convnext_tiny"};
  }
  return std::nullopt;
}

}  // namespace

NamedTensors TimmState(const NamedTensors& state) {
  NamedTensors timm;
  for (const auto& [name, tensor] : state) {
    timm.emplace_back(TimmName(name), absl::EndsWith(name, ".layer_scale")
                                          ? tensor.detach().flatten()
                                          : tensor);
  }
  return timm;
}

std::optional<BackboneGuess> GuessBackbone(const NamedTensors& file) {
  // A tensor that every network of its kind has tells the prefix.
  std::map<std::string, at::Tensor> tensors;
  for (const char* known :
       {"layer1.0.conv1.weight", "conv_proj.weight", "patch_embed.proj.weight",
        kDepthwise, kTimmDepthwise}) {
    const std::string prefix = FindPrefix(file, {{known, known}});
    for (const auto& [name, tensor] : file) {
      absl::string_view rest = name;
      if (absl::ConsumePrefix(&rest, prefix)) {
        tensors.emplace(std::string(rest), tensor);
      }
    }
    if (tensors.count(known) > 0 && tensors.at(known).dim() == 4) break;
    tensors.clear();
  }
  const auto has = [&](const std::string& name) {
    return tensors.count(name) > 0;
  };
  for (const char* name : {"conv_proj.weight", "patch_embed.proj.weight"}) {
    if (!has(name)) continue;
    const int64_t width = tensors.at(name).size(0);
    const int64_t patch = tensors.at(name).size(3);
    int64_t side = 0;
    for (const char* positions : {kPositions, "pos_embed"}) {
      if (has(positions)) side = GridSide(tensors.at(positions)) * patch;
    }
    if (width == 192) return BackboneGuess{"vit_tiny", patch, side};
    if (width == 384) return BackboneGuess{"vit_small", patch, side};
    if (width == 768) return BackboneGuess{"vit_base", patch, side};
    return std::nullopt;
  }
  if (has(kDepthwise)) return GuessConvNext(tensors, /*timm=*/false);
  if (has(kTimmDepthwise)) return GuessConvNext(tensors, /*timm=*/true);
  if (!has("layer1.0.conv1.weight")) return std::nullopt;
  int blocks = 0;
  for (int stage = 1; stage <= 4; ++stage) {
    for (int block = 0;
         has(absl::StrCat("layer", stage, ".", block, ".conv1.weight"));
         ++block) {
      ++blocks;
    }
  }
  const bool bottleneck = has("layer1.0.conv3.weight");
  const bool wide = tensors.at("layer1.0.conv1.weight").size(0) == 128;
  if (!bottleneck && blocks == 8) return BackboneGuess{"resnet18"};
  if (!bottleneck && blocks == 16) return BackboneGuess{"resnet34"};
  if (bottleneck && blocks == 16) {
    return BackboneGuess{wide ? "wide_resnet50_2" : "resnet50"};
  }
  if (bottleneck && blocks == 33 && !wide) return BackboneGuess{"resnet101"};
  return std::nullopt;
}

absl::StatusOr<BackboneWeights> LoadBackboneWeights(const NamedTensors& file,
                                                    absl::string_view name,
                                                    Backbone& backbone) {
  const at::NoGradGuard no_grad;
  const NamedTensors own = ModuleState("", backbone.module());
  std::map<std::string, std::string> own_names;  // elsewhere, here
  for (const auto& [here, tensor] : own) {
    for (const std::string& elsewhere : NamesOf(here)) {
      own_names.emplace(elsewhere, here);
    }
  }
  BackboneWeights result;
  result.prefix = FindPrefix(file, own_names);

  std::map<std::string, at::Tensor> found;  // by our names
  std::vector<std::string> unknown;
  for (const auto& [there, tensor] : file) {
    absl::string_view rest = there;
    if (!absl::ConsumePrefix(&rest, result.prefix)) continue;
    const auto known = own_names.find(std::string(rest));
    if (known != own_names.end()) {
      found.emplace(known->second, tensor);
    } else if (IsHead(rest)) {
      result.heads.push_back(there);
    } else {
      unknown.push_back(there);
    }
  }

  std::vector<std::string> missing, misshapen;
  std::vector<std::pair<at::Tensor, at::Tensor>> copies;  // to, from
  for (const auto& [here, target] : own) {
    const auto source = found.find(here);
    if (source == found.end()) {
      if (!absl::EndsWith(here, kBatches)) missing.push_back(here);
      continue;
    }
    at::Tensor value = source->second;
    if (here == kPositions && value.sizes() != target.sizes()) {
      const int64_t from = GridSide(value), to = GridSide(target);
      if (from > 0 && to > 0 && value.size(2) == target.size(2)) {
        value = ResizePositions(value.to(at::kFloat), to, to);
        result.resized =
            absl::StrCat(from, " x ", from, " to ", to, " x ", to, " patches");
      }
    }
    if (MayDifferInLastOnes(here) &&
        WithoutLastOnes(value) == WithoutLastOnes(target)) {
      value = value.reshape(target.sizes());
    }
    if (value.sizes() != target.sizes()) {
      misshapen.push_back(
          absl::StrCat(here, " is ", Shape(value), " and not ", Shape(target)));
      continue;
    }
    copies.emplace_back(target, value);
  }
  if (!missing.empty() || !misshapen.empty() || !unknown.empty()) {
    std::vector<std::string> problems;
    if (!missing.empty()) {
      problems.push_back(absl::StrCat("it has no ", FirstFew(missing)));
    }
    if (!misshapen.empty()) problems.push_back(FirstFew(misshapen));
    if (!unknown.empty()) {
      problems.push_back(absl::StrCat("unknown: ", FirstFew(unknown)));
    }
    std::string message = absl::StrCat(
        name, " does not fit the backbone: ", absl::StrJoin(problems, "; "));
    const std::optional<BackboneGuess> guess = GuessBackbone(file);
    const bool first_alone = missing.empty() && unknown.empty() &&
                             misshapen.size() == 1 &&
                             (absl::StartsWith(misshapen[0], "conv1.weight") ||
                              absl::StartsWith(misshapen[0], kStem));
    if (first_alone) {
      absl::StrAppend(&message,
                      ". --stem=imagenet has the first convolution of released "
                      "networks, and --channels=3 its colors");
    } else if (guess.has_value()) {
      absl::StrAppend(&message,
                      ". Its weights are those of --backbone=", guess->backbone,
                      guess->patch_size > 0
                          ? absl::StrCat(" --patch_size=", guess->patch_size)
                          : "");
    } else if (!file.empty()) {
      absl::StrAppend(&message, ". It has ", file[0].first,
                      file.size() > 1 ? " and others" : "");
    }
    return absl::InvalidArgumentError(message);
  }
  for (auto& [target, value] : copies) target.copy_(value);
  result.tensors = static_cast<int64_t>(copies.size());
  return result;
}

}  // namespace gsg

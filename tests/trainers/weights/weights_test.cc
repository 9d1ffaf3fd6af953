#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/backbone.h"
#include "models/backbone_options.h"
#include "models/make_backbone.h"
#include "models/module_state.h"
#include "tests/trainers/weights/little_endian.h"
#include "trainers/weights/backbone_weights.h"
#include "trainers/weights/safetensors.h"
#include "trainers/weights/weight_file.h"

namespace gsg {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Safetensors(absl::string_view header, absl::string_view values) {
  return absl::StrCat(LittleEndian(header.size(), 8), header, values);
}

std::string SafetensorsError(absl::string_view header,
                             absl::string_view values) {
  const absl::Status status =
      ReadSafetensors(Safetensors(header, values)).status();
  EXPECT_TRUE(absl::IsDataLoss(status) || absl::IsInvalidArgument(status))
      << status;
  return std::string(status.message());
}

std::string Entry(absl::string_view type, absl::string_view shape,
                  absl::string_view offsets) {
  return absl::StrCat("{\"w\":{\"dtype\":\"", type, "\",\"shape\":", shape,
                      ",\"data_offsets\":", offsets, "}}");
}

TEST(SafetensorsTest, Reads) {
  const std::string values = {0, 0, 0, 0, '\x80', '\x3f', 7,
                              0, 0, 0, 0, 0,      0,      0};
  const auto tensors =
      ReadSafetensors(Safetensors("{\"__metadata__\":{\"format\":\"pt\"},"
                                  "\"b\":{\"dtype\":\"BF16\",\"shape\":[3,1],"
                                  "\"data_offsets\":[0,6]},"
                                  "\"n\":{\"dtype\":\"I64\",\"shape\":[],"
                                  "\"data_offsets\":[6,14]}}",
                                  values));
  ASSERT_TRUE(tensors.ok()) << tensors.status();
  ASSERT_EQ(tensors->size(), 2u);
  EXPECT_EQ((*tensors)[0].first, "b");
  EXPECT_THAT((*tensors)[0].second.sizes(), ElementsAre(3, 1));
  EXPECT_EQ((*tensors)[0].second[2][0].item<float>(), 1);
  EXPECT_EQ((*tensors)[1].second.item<int64_t>(), 7);
}

TEST(SafetensorsTest, WhatIsWrittenIsRead) {
  const NamedTensors tensors = {
      {"a.weight", at::arange(6, at::kFloat).view({2, 3}).t()},
      {"n", at::full({}, 7, at::kLong)},
      {"half", at::ones({3}, at::kHalf)}};
  const absl::StatusOr<std::string> bytes = WriteSafetensors(tensors);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_THAT(*bytes, HasSubstr("\"__metadata__\":{\"format\":\"pt\"}"));
  EXPECT_EQ((bytes->size() - (24 + 8 + 6)) % 8, 0u);
  const auto read = ReadSafetensors(*bytes);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_EQ((*read)[i].first, tensors[i].first);
    EXPECT_EQ((*read)[i].second.scalar_type(), tensors[i].second.scalar_type());
    EXPECT_TRUE(at::equal((*read)[i].second, tensors[i].second));
  }
  EXPECT_TRUE(absl::IsInvalidArgument(
      WriteSafetensors({{"c", at::zeros({1}, at::kComplexFloat)}}).status()));
}

TEST(SafetensorsTest, WhatIsWrongIsNamed) {
  const std::string eight(8, 'x');
  EXPECT_THAT(SafetensorsError(Entry("F32", "[2]", "[0,12]"), eight),
              HasSubstr("w lies beyond the end of the file"));
  EXPECT_THAT(SafetensorsError(Entry("F32", "[3]", "[0,8]"), eight),
              HasSubstr("w is larger than the file"));
  EXPECT_THAT(SafetensorsError(Entry("F32", "[1]", "[0,8]"), eight),
              HasSubstr("w has 8 bytes; its shape needs 4"));
  EXPECT_THAT(SafetensorsError(Entry("F8_E4M3", "[1]", "[0,8]"), eight),
              HasSubstr("w has type F8_E4M3"));
  EXPECT_THAT(
      SafetensorsError(Entry("F32", "[4611686018427387904,4]", "[0,8]"), eight),
      HasSubstr("larger than the file"));
  EXPECT_THAT(SafetensorsError(Entry("F32", "[-1]", "[0,8]"), eight),
              HasSubstr("negative"));
  EXPECT_THAT(SafetensorsError("{\"w\":3}", eight),
              HasSubstr("w is not described"));
  EXPECT_THAT(SafetensorsError("{\"v\":{\"dtype\":\"U8\",\"shape\":[8],"
                               "\"data_offsets\":[0,8]},"
                               "\"w\":{\"dtype\":\"U8\",\"shape\":[8],"
                               "\"data_offsets\":[0,8]}}",
                               eight),
              HasSubstr("w overlaps others"));
  EXPECT_THAT(
      std::string(ReadSafetensors(LittleEndian(99, 8)).status().message()),
      HasSubstr("cut off"));
}

std::string FileError(absl::string_view bytes) {
  const std::string path = ::testing::TempDir() + "/weights";
  std::ofstream(path, std::ios::binary) << bytes;
  const absl::Status status = ReadWeightFile(path).status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(path));
  return std::string(status.message());
}

TEST(WeightFileTest, SaysWhatAFileIs) {
  EXPECT_THAT(FileError(""), HasSubstr("neither"));
  EXPECT_THAT(FileError("<html>"), HasSubstr("neither"));
  EXPECT_THAT(FileError("\x80\x02\x8a\x0along"),
              HasSubstr("before version 1.6"));
  EXPECT_THAT(FileError("PK\3\4 and no more"), HasSubstr("cannot be read"));
  EXPECT_THAT(FileError(Safetensors("{}", "")), HasSubstr("no tensors"));
}

TEST(WeightFileTest, KnowsItsSha256) {
  const std::string path = ::testing::TempDir() + "/weights.safetensors";
  std::ofstream(path, std::ios::binary)
      << Safetensors(Entry("U8", "[3]", "[0,3]"), "abc");
  const auto file = ReadWeightFile(path);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->tensors[0].first, "w");
  EXPECT_EQ(file->sha256,
            "52e4c2f3bbc4e7de2282568ca3f96ff8e762fb11acffbc6f00438f6538614f8c");
}

std::shared_ptr<Backbone> SmallResNet(uint64_t seed) {
  at::manual_seed(seed);
  ResNetOptions options;
  options.blocks = {1, 2};
  options.widths = {2, 4};
  options.strides = {1, 2};
  return MakeBackbone(options).value();
}

std::shared_ptr<Backbone> SmallVit(uint64_t seed, int64_t side) {
  at::manual_seed(seed);
  VitOptions options;
  options.image_size = side;
  options.patch_size = 2;
  options.layers = 2;
  options.heads = 2;
  options.width = 4;
  options.mlp_width = 8;
  return MakeBackbone(options).value();
}

NamedTensors Behind(absl::string_view prefix, Backbone& backbone) {
  return ModuleState(std::string(prefix), backbone.module());
}

void ExpectSame(Backbone& a, Backbone& b) {
  const NamedTensors left = Behind("", a), right = Behind("", b);
  for (size_t i = 0; i < left.size(); ++i) {
    EXPECT_TRUE(at::equal(left[i].second, right[i].second)) << left[i].first;
  }
}

TEST(BackboneWeightsTest, BehindAnyPrefix) {
  for (const char* prefix : {"", "backbone.", "state_dict.module.encoder_q.",
                             "teacher.module.backbone.", "x."}) {
    const auto theirs = SmallResNet(1), ours = SmallResNet(2);
    NamedTensors file = Behind(prefix, *theirs);
    file.emplace_back(absl::StrCat(prefix, "fc.weight"), at::ones({3}));
    if (*prefix != '\0') file.emplace_back("optimizer.lr", at::ones({}));
    const auto loaded = LoadBackboneWeights(file, "f.pth", *ours);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    EXPECT_EQ(loaded->prefix, prefix);
    EXPECT_THAT(loaded->heads, ElementsAre(absl::StrCat(prefix, "fc.weight")));
    EXPECT_EQ(loaded->tensors,
              static_cast<int64_t>(file.size()) - (*prefix == '\0' ? 1 : 2));
    ExpectSame(*theirs, *ours);
  }
}

// MoCo keeps its momentum encoder beside the other, DINO its student.
TEST(BackboneWeightsTest, TakesTheNetworkThatOthersUse) {
  for (const auto& [wanted, other] :
       {std::pair("state_dict.module.encoder_q.",
                  "state_dict.module.encoder_k."),
        std::pair("teacher.backbone.", "student.module.backbone."),
        std::pair("model.backbone.", "model.target.backbone.")}) {
    const auto theirs = SmallResNet(1), unwanted = SmallResNet(2);
    for (const bool first : {true, false}) {
      NamedTensors file =
          Behind(first ? wanted : other, first ? *theirs : *unwanted);
      for (auto& item :
           Behind(first ? other : wanted, first ? *unwanted : *theirs)) {
        file.push_back(std::move(item));
      }
      const auto ours = SmallResNet(3);
      const auto loaded = LoadBackboneWeights(file, "f.pth", *ours);
      ASSERT_TRUE(loaded.ok()) << loaded.status();
      EXPECT_EQ(loaded->prefix, wanted);
      ExpectSame(*theirs, *ours);
    }
  }
}

TEST(BackboneWeightsTest, ConvertsAndDoesWithoutCounts) {
  const auto theirs = SmallResNet(1), ours = SmallResNet(2);
  NamedTensors file;
  for (const auto& [name, tensor] : Behind("", *theirs)) {
    if (name.find("num_batches_tracked") != std::string::npos) continue;
    file.emplace_back(name, tensor.to(at::kHalf));
  }
  ASSERT_TRUE(LoadBackboneWeights(file, "f.pth", *ours).ok());
  for (const auto& [name, tensor] : Behind("", *ours)) {
    if (name == "conv1.weight") {
      EXPECT_EQ(tensor.scalar_type(), at::kFloat);
    }
  }
}

std::string TimmName(const std::string& name) {
  return absl::StrReplaceAll(name,
                             {{"class_token", "cls_token"},
                              {"conv_proj", "patch_embed.proj"},
                              {"encoder.pos_embedding", "pos_embed"},
                              {"encoder.layers.encoder_layer_", "blocks."},
                              {"encoder.ln", "norm"},
                              {"ln_1", "norm1"},
                              {"ln_2", "norm2"},
                              {"self_attention.in_proj_", "attn.qkv."},
                              {"self_attention.out_proj", "attn.proj"},
                              {"mlp.0", "mlp.fc1"},
                              {"mlp.3", "mlp.fc2"}});
}

TEST(BackboneWeightsTest, NamesOfTimmAndOfTorchvisionsFirstVersion) {
  for (const bool timm : {true, false}) {
    const auto theirs = SmallVit(1, 6), ours = SmallVit(2, 6);
    NamedTensors file;
    for (const auto& [name, tensor] : Behind("", *theirs)) {
      file.emplace_back(
          timm ? TimmName(name)
               : absl::StrReplaceAll(name, {{"mlp.0", "mlp.linear_1"},
                                            {"mlp.3", "mlp.linear_2"}}),
          tensor);
    }
    const auto loaded = LoadBackboneWeights(file, "f.pth", *ours);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    ExpectSame(*theirs, *ours);
  }
}

std::shared_ptr<Backbone> SmallConvNext(uint64_t seed) {
  at::manual_seed(seed);
  ConvNextOptions options;
  options.blocks = {1, 2};
  options.widths = {2, 4};
  options.layer_scale = 0.1 * static_cast<double>(seed);
  return MakeBackbone(options).value();
}

std::vector<std::string> NamesIn(const NamedTensors& tensors) {
  std::vector<std::string> names;
  for (const auto& item : tensors) names.push_back(item.first);
  return names;
}

// timm's, written out, with its shapes.
TEST(BackboneWeightsTest, NamesOfTimmsConvNext) {
  const auto theirs = SmallConvNext(1), ours = SmallConvNext(2);
  NamedTensors file = TimmState(Behind("", *theirs));
  EXPECT_THAT(
      NamesIn(file),
      ElementsAre(
          "stem.0.weight", "stem.0.bias", "stem.1.weight", "stem.1.bias",
          "stages.0.blocks.0.gamma", "stages.0.blocks.0.conv_dw.weight",
          "stages.0.blocks.0.conv_dw.bias", "stages.0.blocks.0.norm.weight",
          "stages.0.blocks.0.norm.bias", "stages.0.blocks.0.mlp.fc1.weight",
          "stages.0.blocks.0.mlp.fc1.bias", "stages.0.blocks.0.mlp.fc2.weight",
          "stages.0.blocks.0.mlp.fc2.bias", "stages.1.downsample.0.weight",
          "stages.1.downsample.0.bias", "stages.1.downsample.1.weight",
          "stages.1.downsample.1.bias", "stages.1.blocks.0.gamma",
          "stages.1.blocks.0.conv_dw.weight", "stages.1.blocks.0.conv_dw.bias",
          "stages.1.blocks.0.norm.weight", "stages.1.blocks.0.norm.bias",
          "stages.1.blocks.0.mlp.fc1.weight", "stages.1.blocks.0.mlp.fc1.bias",
          "stages.1.blocks.0.mlp.fc2.weight", "stages.1.blocks.0.mlp.fc2.bias",
          "stages.1.blocks.1.gamma", "stages.1.blocks.1.conv_dw.weight",
          "stages.1.blocks.1.conv_dw.bias", "stages.1.blocks.1.norm.weight",
          "stages.1.blocks.1.norm.bias", "stages.1.blocks.1.mlp.fc1.weight",
          "stages.1.blocks.1.mlp.fc1.bias", "stages.1.blocks.1.mlp.fc2.weight",
          "stages.1.blocks.1.mlp.fc2.bias", "head.norm.weight",
          "head.norm.bias"));
  EXPECT_EQ(file[4].second.sizes(), at::IntArrayRef({2}));
  // As a convolution of 1x1.
  file[9].second = file[9].second.view({8, 2, 1, 1});
  file.emplace_back("head.fc.weight", at::ones({3, 4}));
  const auto loaded = LoadBackboneWeights(file, "f.pth", *ours);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_THAT(loaded->heads, ElementsAre("head.fc.weight"));
  ExpectSame(*theirs, *ours);
}

// What differs in more than dimensions of 1 at the end is another shape, and so
// is a norm's [C, 1, 1].
TEST(BackboneWeightsTest, ShapesOfAConvNextAreItsOwn) {
  const auto ours = SmallConvNext(1), before = SmallConvNext(1);
  for (const auto& [i, shape, words] :
       std::vector<std::tuple<int, std::vector<int64_t>, std::string>>{
           {4, {3}, "features.1.0.layer_scale is [3] and not [2, 1, 1]"},
           {4, {1, 2}, "features.1.0.layer_scale is [1, 2] and not [2, 1, 1]"},
           {9, {2, 8}, "features.1.0.block.3.weight is [2, 8] and not [8, 2]"},
           {7,
            {2, 1, 1},
            "features.1.0.block.2.weight is [2, 1, 1] and not "
            "[2]"}}) {
    NamedTensors file = TimmState(Behind("", *SmallConvNext(2)));
    file[i].second = at::ones(shape);
    EXPECT_THAT(
        std::string(
            LoadBackboneWeights(file, "f.pth", *ours).status().message()),
        HasSubstr(words));
    ExpectSame(*ours, *before);
  }
}

// Resized when loaded is resized when used.
TEST(BackboneWeightsTest, PositionsAreResized) {
  const auto theirs = SmallVit(1, 6), ours = SmallVit(2, 10);
  const auto loaded = LoadBackboneWeights(Behind("", *theirs), "f.pth", *ours);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->resized, "3 x 3 to 5 x 5 patches");
  SetModuleTraining(theirs->module(), false);
  SetModuleTraining(ours->module(), false);
  const at::Tensor x = at::rand({2, 3, 10, 10});
  EXPECT_LT((theirs->forward(x) - ours->forward(x)).abs().max().item<float>(),
            1e-6);
}

TEST(BackboneWeightsTest, WhatDoesNotFitIsNamedAndNothingChanges) {
  const auto ours = SmallResNet(1), before = SmallResNet(1);
  const auto error = [&](const NamedTensors& file) {
    const absl::Status status =
        LoadBackboneWeights(file, "f.pth", *ours).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    ExpectSame(*ours, *before);
    return std::string(status.message());
  };
  NamedTensors file = Behind("m.", *SmallResNet(2));
  file.emplace_back("m.layer3.0.conv1.weight", at::ones({1}));
  EXPECT_THAT(error(file), HasSubstr("unknown: m.layer3.0.conv1.weight"));
  file.pop_back();
  file.erase(file.begin() + 1);
  EXPECT_THAT(error(file), HasSubstr("it has no bn1.weight"));
  file[0].second = at::ones({2, 1, 7, 7});
  EXPECT_THAT(error(file),
              AllOf(HasSubstr("conv1.weight is [2, 1, 7, 7] and not "
                              "[2, 3, 7, 7]")));
  EXPECT_THAT(error({{"weight", at::ones({1})}}),
              AllOf(HasSubstr("more"), HasSubstr("It has weight")));
  // What the file is of.
  at::manual_seed(1);
  const auto resnet34 = MakeBackbone(
      ResNetOptionsFor("resnet34", ResNetOptions::Stem::kImageNet).value());
  EXPECT_THAT(error(Behind("", **resnet34)),
              HasSubstr("those of --backbone=resnet34"));
  const auto vit = MakeBackbone(VitOptionsFor("vit_tiny", 32, 8).value());
  EXPECT_THAT(error(Behind("", **vit)),
              HasSubstr("those of --backbone=vit_tiny --patch_size=8"));
  at::manual_seed(1);
  const auto convnext = MakeBackbone(
      ConvNextOptionsFor("convnext_tiny", ConvNextOptions::Stem::kImageNet)
          .value());
  EXPECT_THAT(error(Behind("", **convnext)),
              HasSubstr("those of --backbone=convnext_tiny"));
}

TEST(GuessBackboneTest, KnowsOurs) {
  for (const char* name :
       {"resnet18", "resnet34", "resnet50", "resnet101", "wide_resnet50_2"}) {
    const auto backbone = MakeBackbone(
        ResNetOptionsFor(name, ResNetOptions::Stem::kImageNet).value());
    const auto guess = GuessBackbone(Behind("module.", **backbone));
    ASSERT_TRUE(guess.has_value()) << name;
    EXPECT_EQ(guess->backbone, name);
  }
  const auto vit = MakeBackbone(VitOptionsFor("vit_small", 48, 16).value());
  const auto guess = GuessBackbone(Behind("student.", **vit));
  ASSERT_TRUE(guess.has_value());
  EXPECT_EQ(guess->backbone, "vit_small");
  EXPECT_EQ(guess->patch_size, 16);
  EXPECT_EQ(guess->image_size, 48);
  const auto convnext = MakeBackbone(
      ConvNextOptionsFor("convnext_tiny", ConvNextOptions::Stem::kImageNet)
          .value());
  const NamedTensors theirs = TimmState(Behind("", **convnext));
  for (const NamedTensors& file : {Behind("module.", **convnext), theirs}) {
    const auto found = GuessBackbone(file);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->backbone, "convnext_tiny");
  }
  // Another depth, and ConvNeXt V2, which has no layer scales.
  NamedTensors deeper = theirs, second;
  deeper.emplace_back("stages.2.blocks.9.gamma", at::ones({384}));
  EXPECT_FALSE(GuessBackbone(deeper).has_value());
  for (const auto& item : theirs) {
    if (!absl::EndsWith(item.first, ".gamma")) second.push_back(item);
  }
  EXPECT_FALSE(GuessBackbone(second).has_value());
  EXPECT_FALSE(GuessBackbone(Behind("", *SmallConvNext(1))).has_value());
  EXPECT_FALSE(GuessBackbone(Behind("", *SmallResNet(1))).has_value());
  EXPECT_FALSE(GuessBackbone({}).has_value());
}

}  // namespace
}  // namespace gsg

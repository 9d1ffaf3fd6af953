#include "trainers/config/recipes.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "trainers/base/did_you_mean.h"
#include "trainers/config/config.h"
#include "trainers/config/resume.h"

namespace gsg {
namespace {

void FashionMnist(Config* c) {
  c->dataset = "fashion_mnist";

  UseSmallNetwork(c);

  // A learning rate of 0.2. Short runs gain more from steps than from larger
  // batches, and more from a wider network than from more epochs. On 5,000
  // training images held out, one seed: k-NN 82.6, 84.1 and 84.2 at base rates
  // of 0.1, 0.2 and 0.4, linear 85.9, 88.0 and 88.6.
  c->epochs = 5;
  c->batch_size = 128;
  c->base_lr = 0.4;
  c->optimizer.weight_decay = 5e-4;
  c->warmup_epochs = 1;
  c->constant_predictor_lr = true;

  // Small views are cheap; features are taken at the full 28x28.
  c->augment.size = 20;
  c->augment.crop_scale_min = 0.4;
  c->local_crops.size = 12;
  c->local_crops.scale_min = 0.15;
  c->local_crops.scale_max = 0.4;
  c->augment.hflip_prob = 0.5;
  // How bright and how contrasty a garment is says little about what it is.
  c->augment.jitter_prob = 0.8;
  c->augment.brightness = 0.4;
  c->augment.contrast = 0.4;
  c->augment.gamma = 0.7;
  c->augment.tone_curve = 0.5;
  // One channel: there is no color to change.
  c->augment.saturation = 0;
  c->augment.hue = 0;
  c->augment.grayscale_prob = 0;

  c->knn_queries = 2000;
  c->linear_probe = true;
}

// Chosen for its cost: a study has dozens of runs. One epoch already takes k-NN
// from 76 (untrained) to 81 and a linear classifier from 81 to 85.
void FashionMnistShort(Config* c) {
  FashionMnist(c);
  c->epochs = 1;
  c->warmup_epochs = 0;
  c->augment.size = 16;
  c->knn_bank = 10000;
}

// Augmentation of color images is Config's default, ColorAugmentation.

void Cifar10(Config* c) {
  c->dataset = "cifar10";

  c->views = "four";
  c->pairing = PairingKind::kRandom;

  c->backbone = "resnet18";
  c->stem = "small";
  // As the authors do on ImageNet; the paper leaves it open for CIFAR-10.
  c->zero_init_residual = true;
  c->projector_layers = 2;
  c->projector_hidden = 2048;
  c->projector_dim = 2048;
  c->predictor_hidden = 512;

  c->epochs = 200;
  c->batch_size = 512;
  c->base_lr = 0.03;
  c->optimizer.momentum = 0.9;
  c->optimizer.weight_decay = 5e-4;

  c->augment.size = 32;
  c->augment.blur_prob = 0;
}

void Cifar10Fast(Config* c) {
  Cifar10(c);
  c->views = "shared";
  c->pairing = PairingKind::kCyclic;
  c->zero_init_residual = false;
  c->base_lr = 0.12;
  c->epochs = 90;
}

// fashion_mnist_short's network on CIFAR-10, for the same purpose.
void Cifar10Short(Config* c) {
  Cifar10Fast(c);
  UseSmallNetwork(c);
  c->constant_predictor_lr = true;

  c->epochs = 1;
  c->batch_size = 128;
  c->base_lr = 0.4;
  c->augment.size = 20;
  c->knn_queries = 2000;
  c->knn_bank = 10000;
  c->linear_probe = true;
}

// As long as that takes to tell a collapse from none. The rate was chosen on
// 5,000 training images held out, between this one and 0.4.
void Cifar10Cpu(Config* c) {
  Cifar10Short(c);
  c->epochs = 3;
  c->base_lr = 0.1;
}

void Cifar100(Config* c) {
  Cifar10(c);
  c->dataset = "cifar100";
}

// A Vision Transformer of 64 patches. AdamW, the rule of its learning rate, the
// 10 epochs of warm-up and no decay of biases and norms are DINO's (arXiv
// 2104.14294, section 3.2, and its code), weight decay MoCo v3's (arXiv
// 2104.02057, section 5), both for ViT-S on ImageNet; the rest is
// cifar10_fast's. Not tuned, and not measured.
void Cifar10Vit(Config* c) {
  Cifar10Fast(c);
  c->backbone = "vit_tiny";
  c->patch_size = 4;

  c->epochs = 200;
  c->optimizer.name = "adamw";
  c->base_lr = 5e-4;
  c->optimizer.adam_beta1 = 0.9;
  c->optimizer.adam_beta2 = 0.999;
  c->optimizer.weight_decay = 0.1;
  c->optimizer.decay_bias_and_norm = false;
  c->warmup_epochs = 10;
}

// As the authors' main_pretrain.py has it.
void ImageNet(Config* c) {
  c->dataset = "folder";

  c->views = "four";
  c->pairing = PairingKind::kRandom;

  c->backbone = "resnet50";
  c->stem = "imagenet";
  c->zero_init_residual = true;
  c->projector_layers = 3;
  c->projector_hidden = 2048;
  c->projector_dim = 2048;
  c->predictor_hidden = 512;

  c->epochs = 100;
  c->batch_size = 512;
  c->base_lr = 0.05;
  c->optimizer.momentum = 0.9;
  c->optimizer.weight_decay = 1e-4;
  c->constant_predictor_lr = true;

  c->augment.size = 224;
  c->local_crops.size = 96;  // SwAV's and DINO's
  c->augment.blur_prob = 0.5;
  c->augment.blur_sigma_min = 0.1;
  c->augment.blur_sigma_max = 2;

  // A look at the features of 150,000 photographs takes a while, and at the raw
  // pixels of all of them 16 GB.
  c->knn_every = 5;
  c->knn_bank = 100000;
  c->baselines = false;
}

void Imagenette(Config* c) {
  ImageNet(c);
  c->views = "shared";
  c->pairing = PairingKind::kCyclic;
  c->backbone = "resnet18";
  c->zero_init_residual = false;
  // Ten thousand images: smaller batches for more steps, and more epochs.
  c->epochs = 200;
  c->batch_size = 256;
  c->optimizer.weight_decay = 5e-4;
  // Of the set with 160 pixels.
  c->augment.size = 128;
  c->local_crops.size = 56;
  c->knn_bank = 0;
  c->baselines = true;
}

// --fit puts what suits the images and the machine in the place of sizes and
// network.
void Photos(Config* c) {
  Imagenette(c);
  c->fit = true;
  c->augment.size = 64;
  c->epochs = 200;
  c->batch_size = 64;
  c->base_lr = 0.2;
  c->warmup_epochs = 5;
  c->constant_predictor_lr = true;
  c->knn_every = 10;
}

}  // namespace

void UseSmallNetwork(Config* config) {
  config->backbone = "resnet_small";
  config->stem = "small_stride2";
  config->projector_layers = 2;
  config->projector_hidden = 256;
  config->projector_dim = 256;
  config->predictor_hidden = 64;
}

const std::vector<Recipe>& Recipes() {
  static const auto* const recipes = new std::vector<Recipe>{
      {"fashion_mnist",
       "a small ResNet on Fashion-MNIST, which comes with the program",
       "this project", "about 5 minutes on two CPU cores", FashionMnist,
       RecordedScores{83.59, 87.85}},
      {"fashion_mnist_short",
       "fashion_mnist in one epoch of smaller views, for studies of many runs",
       "this project", "about 2 minutes on one CPU core", FashionMnistShort},
      {"cifar10", "ResNet-18 on CIFAR-10, as in the paper",
       "Lee and Lee, arXiv 2503.09058, CIFAR-10",
       "200 epochs of four encoder passes an image; needs a GPU", Cifar10},
      {"cifar10_fast",
       "cifar10 with a higher learning rate, shared views and fewer epochs",
       "this project",
       "90 epochs of two encoder passes an image, "
       "under a quarter of cifar10",
       Cifar10Fast},
      {"cifar10_short",
       "CIFAR-10 in one epoch of a thin network, for studies of many runs",
       "this project", "about 4 minutes on one CPU core", Cifar10Short},
      {"cifar10_cpu",
       "CIFAR-10 in three epochs of a thin network, to see a collapse on a CPU",
       "this project", "about 3 minutes on one CPU core", Cifar10Cpu},
      {"cifar10_vit", "a small Vision Transformer on CIFAR-10, with AdamW",
       "the values of DINO, arXiv 2104.14294, and MoCo v3, arXiv 2104.02057, "
       "for ImageNet; neither tuned nor measured",
       "200 epochs of two encoder passes an image; needs a GPU", Cifar10Vit},
      {"cifar100", "the CIFAR-10 recipe on CIFAR-100",
       "Lee and Lee, arXiv 2503.09058, their values for CIFAR-10",
       "that of cifar10", Cifar100},
      {"imagenette",
       "ResNet-18 on Imagenette in 160 pixels, or a folder as small",
       "this project, after the authors' values for ImageNet; not measured yet",
       "200 epochs of two encoder passes an image of 128 pixels; needs a GPU",
       Imagenette},
      {"photos",
       "a folder of images, with a network, sizes and a length that suit them "
       "and the machine",
       "this project, after imagenette; measured in docs/photos.md",
       "what --minutes says, or that of 240,000 images on a CPU", Photos},
      {"imagenet", "ResNet-50 on ImageNet, as the authors' code has it",
       "Lee and Lee, arXiv 2503.09058, and their main_pretrain.py",
       "100 epochs of four encoder passes an image of 224 pixels; needs a "
       "large GPU for days",
       ImageNet},
  };
  return *recipes;
}

absl::StatusOr<Config> RecipeConfig(absl::string_view name) {
  std::vector<absl::string_view> names;
  for (const Recipe& recipe : Recipes()) {
    if (recipe.name == name) {
      Config config;
      config.recipe = std::string(name);
      recipe.apply(&config);
      return config;
    }
    names.push_back(recipe.name);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "--recipe=", name, ": unknown recipe; ", DidYouMean(name, names),
      "recipes: ", absl::StrJoin(names, ", ")));
}

std::optional<RecordedScores> RecordedPlainSimSiam(const Config& config) {
  if (config.method != "simsiam_gsg") return std::nullopt;
  for (const Recipe& recipe : Recipes()) {
    if (recipe.name != config.recipe || !recipe.plain_simsiam) continue;
    Config own = *RecipeConfig(recipe.name);
    own.method = config.method;
    own.seed = config.seed;
    own.data_dir = config.data_dir;
    own.data_list = config.data_list;
    if (DecidingDifferences(own, config).empty()) return recipe.plain_simsiam;
  }
  return std::nullopt;
}

std::string DescribeRecipes() {
  std::string text;
  for (const Recipe& recipe : Recipes()) {
    absl::StrAppend(&text, recipe.name, "\n    ", recipe.description,
                    "\n    source: ", recipe.source,
                    "\n    cost: ", recipe.cost, "\n");
  }
  return text;
}

}  // namespace gsg

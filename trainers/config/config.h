#ifndef GSG_TRAINERS_CONFIG_CONFIG_H_
#define GSG_TRAINERS_CONFIG_CONFIG_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "gsg_core/distance.h"
#include "gsg_core/loss.h"
#include "gsg_core/pairing.h"
#include "gsg_core/parse.h"
#include "gsg_core/selection.h"
#include "trainers/augment/options.h"
#include "trainers/config/field.h"
#include "trainers/optim/options.h"

namespace gsg {

// SimSiam's augmentation of color images (arXiv 2011.10566, appendix A),
// without blur.
inline AugmentOptions ColorAugmentation() {
  AugmentOptions options;
  options.hflip_prob = 0.5;
  options.jitter_prob = 0.8;
  options.brightness = 0.4;
  options.contrast = 0.4;
  options.saturation = 0.4;
  options.hue = 0.1;
  options.grayscale_prob = 0.2;
  return options;
}

// Everything that decides a training run. The values below are those of no
// recipe (see recipes.h). The default of a new field must reproduce what older
// versions did: their files lack it. ForEachField documents each field; the
// flags, --help, config.json and the resume check all come from it.
struct Config {
  // Given by the program, not by a flag: a name of methods.h.
  std::string method;

  // Run
  std::string recipe = "fashion_mnist";
  std::string output_dir;
  int64_t seed = 0;
  bool fit = false;
  std::string device = "auto";
  std::string precision = "auto";
  bool data_on_gpu = true;
  bool cuda_graph = true;
  int64_t threads = 0;
  bool resume = false;
  bool overwrite = false;
  double checkpoint_minutes = 0;
  int64_t keep = 2;
  int64_t keep_every = 0;
  std::string keep_best = "none";
  bool tensorboard = false;
  int64_t nproc = 1;
  double dist_timeout = 300;

  // Data
  std::string dataset = "fashion_mnist";
  std::string data_dir;
  std::string data_list;
  int64_t channels = 3;
  int64_t loader_threads = 0;
  std::string normalize = "auto";
  int64_t validation = 0;
  double max_damaged = 0.01;

  // Method
  std::string views = "shared";
  PairingKind pairing = PairingKind::kCyclic;
  int64_t pairing_candidates = 16;
  int64_t unguided_epochs = 0;
  std::string pairing_scope = "rank";
  LossOptions loss;
  double target_momentum = 0.99;
  std::string target_momentum_schedule = "constant";

  // Model
  std::string backbone = "resnet18";
  std::string init;
  std::string init_sha256;
  int64_t init_freeze_epochs = 0;
  std::string stem = "small";
  bool zero_init_residual = false;
  int64_t patch_size = 0;
  int64_t projector_layers = 2;
  int64_t projector_hidden = 2048;
  int64_t projector_dim = 2048;
  std::string predictor = "mlp";
  int64_t predictor_hidden = 512;

  // Optimizer
  int64_t epochs = 100;
  double minutes = 0;
  int64_t max_steps = 0;
  int64_t batch_size = 512;
  int64_t accumulate = 1;
  OptimizerOptions optimizer;
  double base_lr = 0.05;
  int64_t warmup_epochs = 0;
  bool constant_predictor_lr = false;

  // Augmentation
  AugmentOptions augment = ColorAugmentation();
  LocalCropOptions local_crops;

  // Evaluation
  int64_t knn_k = 200;
  double knn_temperature = 0.2;
  int64_t knn_every = 1;
  int64_t knn_bank = 0;
  int64_t knn_queries = 0;
  bool linear_probe = false;
  bool baselines = true;
  bool stop_on_collapse = true;
  double collapse_threshold = 0.05;
};

// The fields, in the order of --help (VisitFields, field.h). Config::method is
// none.
void ForEachField(Config& config, FieldVisitor visit);

}  // namespace gsg

#endif  // GSG_TRAINERS_CONFIG_CONFIG_H_

#ifndef GSG_TRAINERS_EVALUATE_TRAINED_PROBE_H_
#define GSG_TRAINERS_EVALUATE_TRAINED_PROBE_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "absl/status/statusor.h"
#include "trainers/evaluate/classification.h"

namespace gsg {

// Linear evaluation as the literature does it: a linear layer with softmax and
// cross-entropy, trained for a fixed number of epochs of minibatches whose
// learning rate falls along half a cosine.
//
// One difference, which matters when numbers are compared: the papers compute
// the features anew in every epoch from a random crop and flip of each image
// and test on a center crop. Here each image has one feature vector, without
// augmentation. That costs one pass of the backbone instead of ninety.
struct TrainedProbeOptions {
  enum class Optimizer { kLars, kSgd };

  Optimizer optimizer = Optimizer::kLars;
  int64_t epochs = 90;
  // Rows a step, at most all; the last step of an epoch may have fewer.
  int64_t batch_size = 4096;
  double base_lr = 0.1;  // the first step's is base_lr * batch_size / 256
  double momentum = 0.9;
  double weight_decay = 0;
  // Features to mean 0 and deviation 1 over the training rows first, so that
  // one learning rate suits features of any scale.
  bool standardize = false;
  double init_std = 0.01;  // of the normal initial weights; the bias is 0
  uint64_t seed = 0;       // decides initial weights and order
};

// SimSiam's (Chen and He, arXiv 2011.10566, section 4 and appendix A): LARS,
// 90 epochs, batches of 4096, base lr 0.1, no weight decay.
TrainedProbeOptions LarsProbe();

// For comparison with plain SGD: 100 epochs, batches of 256, standardised
// features, no weight decay.
TrainedProbeOptions SgdProbe();

struct TrainedProbeResult {
  Classification test;    // of the test rows
  double train_top1 = 0;  // percent of the training rows, 0..100
  double loss = 0;        // mean cross-entropy over the last epoch's steps
  at::Tensor weight;      // [d, classes] float32, for the features trained on
  at::Tensor bias;        // [classes] float32
};

//   train_features, test_features: [N, d] and [M, d] float32.
//   train_labels, test_labels:     [N] and [M] int64, each in 0..classes-1.
// All four on one device, where the work is done, in float32. A function of
// its arguments alone on the CPU, for a fixed number of threads.
//
// Errors: kInvalidArgument if a shape, type or device differs from the above,
// a tensor is empty, a feature is not finite, a label is out of range, or an
// option is not positive (momentum, weight_decay and init_std: negative);
// kOutOfRange if the training diverges.
absl::StatusOr<TrainedProbeResult> TrainProbe(
    const at::Tensor& train_features, const at::Tensor& train_labels,
    const at::Tensor& test_features, const at::Tensor& test_labels,
    int64_t classes, const TrainedProbeOptions& options);

}  // namespace gsg

#endif  // GSG_TRAINERS_EVALUATE_TRAINED_PROBE_H_

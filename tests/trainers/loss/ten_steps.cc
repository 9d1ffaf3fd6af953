// Ten training steps of a small network with the trainer's loss, in double:
// prints each step's loss and how often each pair was chosen. The Python test
// of gsg.torch (tests/bindings/trainer_test.py) takes the same steps from the
// same weights, which are a formula.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/tanh.h>

#include <cstdint>
#include <cstdio>
#include <vector>

#include "absl/status/statusor.h"
#include "gsg_core/loss.h"
#include "gsg_core/pairing.h"
#include "gsg_core/random.h"
#include "models/backward.h"
#include "trainers/loss/guided_loss.h"

namespace {

constexpr int64_t kRows = 20, kInputs = 6, kWidth = 8;
constexpr uint64_t kSeed = 9;
constexpr double kRate = 0.5;

// sin(first), sin(first + 1), ...: numbers that any language has.
at::Tensor Sines(int64_t rows, int64_t cols, double first) {
  return at::sin(at::arange(rows * cols, at::kDouble) + first)
      .reshape({rows, cols});
}

int Run() {
  std::vector<at::Tensor> weights = {Sines(kInputs, kWidth, 1),
                                     Sines(kWidth, kWidth, 2),
                                     Sines(kWidth, kWidth, 3)};
  for (at::Tensor& w : weights) w.requires_grad_();
  for (uint64_t step = 0; step < 10; ++step) {
    std::vector<at::Tensor> p, z;
    for (int view = 0; view < 2; ++view) {
      const at::Tensor x = Sines(kRows, kInputs, 10. * step + 0.3 * view);
      z.push_back(at::matmul(at::tanh(at::matmul(x, weights[0])), weights[1]));
      p.push_back(at::matmul(z.back(), weights[2]));
    }
    gsg::LossOptions options;
    options.seed = gsg::StepSeed(kSeed, step);
    const std::vector<int64_t> pairing =
        *gsg::CyclicPairing(kRows, options.seed);
    absl::StatusOr<gsg::TensorLoss> loss =
        gsg::GuidedLoss(p, z, pairing, options);
    if (!loss.ok()) {
      std::fprintf(stderr, "%s\n", loss.status().ToString().c_str());
      return 1;
    }
    gsg::Backward(p, loss->gradients);
    for (at::Tensor& w : weights) {
      const at::Tensor next = w.detach() - kRate * w.grad();
      w = next.requires_grad_();
    }
    std::printf("%.17g", loss->loss);
    for (int k = 0; k < 4; ++k) {
      std::printf(" %lld", static_cast<long long>(loss->pair_count[k]));
    }
    std::printf("\n");
  }
  return 0;
}

}  // namespace

int main() { return Run(); }

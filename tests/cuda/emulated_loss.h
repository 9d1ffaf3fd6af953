#ifndef GSG_TESTS_CUDA_EMULATED_LOSS_H_
#define GSG_TESTS_CUDA_EMULATED_LOSS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "cuda/guided_loss.h"
#include "cuda/internal/four_view_kernel.h"
#include "cuda/internal/loss_args.h"
#include "cuda/internal/loss_plan.h"
#include "cuda/internal/shared_view_kernel.h"
#include "cuda/pairing_plan.h"
#include "gsg_core/loss.h"
#include "tests/cuda/host_block.h"

namespace gsg::cuda::internal {

// Every block of a launch, one after the other, the last one first if
// `backwards`: on a GPU any order may come.
template <template <typename, int, int> typename Kernel, typename T, int kWidth,
          int kKept, typename Args>
void EmulateKernel(const Args& args, int threads, bool backwards) {
  for (int k = 0; k < args.blocks; ++k) {
    HostBlock block(backwards ? args.blocks - 1 - k : k, threads);
    typename Kernel<T, kWidth, kKept>::State state;
    Kernel<T, kWidth, kKept>::Run(block, args, state);
  }
}

template <template <typename, int, int> typename Kernel, typename T,
          typename Args>
void EmulateLoss(const Args& args, const LaunchShape& shape, bool backwards) {
  constexpr int kVector = 16 / sizeof(T);
  switch (shape.access) {
    case Access::kRegisters:
      EmulateKernel<Kernel, T, kVector, VectorsPerThread(sizeof(T))>(
          args, shape.threads, backwards);
      break;
    case Access::kVectors:
      EmulateKernel<Kernel, T, kVector, 0>(args, shape.threads, backwards);
      break;
    case Access::kElements:
      EmulateKernel<Kernel, T, 1, 0>(args, shape.threads, backwards);
      break;
  }
}

template <typename T>
void Emulate(const FourViewArgs<T>& args, const LaunchShape& shape,
             bool backwards = false) {
  EmulateLoss<FourViewKernel, T>(args, shape, backwards);
}
template <typename T>
void Emulate(const SharedViewArgs<T>& args, const LaunchShape& shape,
             bool backwards = false) {
  EmulateLoss<SharedViewKernel, T>(args, shape, backwards);
}

// What a launch writes.
struct EmulatedOutputs {
  explicit EmulatedOutputs(int64_t rows)
      : pair(rows, 255), workspace((LossWorkspaceBytes(rows) + 7) / 8) {}

  LossOutputs Pointers() {
    LossOutputs outputs;
    outputs.loss = &loss;
    outputs.loss_float = &loss_float;
    outputs.pair = pair.data();
    outputs.pair_count = pair_count;
    outputs.faults = &faults;
    outputs.workspace = workspace.data();
    return outputs;
  }

  double loss = -7;
  float loss_float = -7;
  std::vector<uint8_t> pair;
  int64_t pair_count[5] = {-7, -7, -7, -7, -7};
  uint32_t faults = 0;
  std::vector<uint64_t> workspace;
};

// GuidedLoss as tests/gsg_core/loss_checks.h wants it. `access`: another kernel
// than the one that fits the rows best.
class EmulatedLoss {
 public:
  explicit EmulatedLoss(absl::optional<Access> access = absl::nullopt,
                        bool in_order = true)
      : access_(access), in_order_(in_order) {}

  std::string name() const {
    return "access " +
           (access_ ? std::to_string(static_cast<int>(*access_)) : "best") +
           (in_order_ ? "" : ", no order");
  }

  template <typename T>
  absl::StatusOr<LossResult> Run(const FourViews<T>& views,
                                 const gsg::LossOptions& options,
                                 const FourViewGrads<T>* grads) const {
    EmulatedOutputs outputs(views.p11.rows());
    auto args = PlanLoss(views, OptionsOf(options), grads, outputs.Pointers());
    return Finish(args, outputs, FourViewFaults);
  }

  template <typename T>
  absl::StatusOr<LossResult> Run(const gsg::SharedViews<T>& views,
                                 const gsg::LossOptions& options,
                                 const SharedGrads<T>* grads) const {
    EmulatedOutputs outputs(views.p1.rows());
    const auto plan = MakePairingPlan(views.pairing);
    if (!plan.ok()) return plan.status();
    SharedViews<T> shared{views.p1, views.p2, views.z1, views.z2};
    shared.pairing = PairingOfPlan(plan->data(), views.p1.rows());
    if (!in_order_) shared.pairing.order = nullptr;
    shared.local_p = views.local_p;
    auto args = PlanLoss(shared, OptionsOf(options), grads, outputs.Pointers());
    return Finish(args, outputs, SharedViewFaults);
  }

 private:
  static LossOptions OptionsOf(const gsg::LossOptions& from) {
    LossOptions options;
    static_cast<SelectionParameters&>(options) = from;
    options.distance = from.distance;
    options.selection = from.selection;
    options.grad_scale = from.grad_scale;
    return options;
  }

  template <typename Args>
  absl::StatusOr<LossResult> Finish(const absl::StatusOr<Args>& args,
                                    EmulatedOutputs& outputs,
                                    absl::Status (*status_of)(uint32_t)) const {
    if (!args.ok()) return args.status();
    LaunchShape shape = ShapeOf(*args);
    if (access_) shape.access = *access_;
    Emulate(*args, shape);
    absl::Status status = status_of(outputs.faults);
    if (!status.ok()) return status;
    LossResult result;
    result.loss = outputs.loss;
    result.pair = outputs.pair;
    for (size_t k = 0; k < 5; ++k) result.pair_count[k] = outputs.pair_count[k];
    return result;
  }

  absl::optional<Access> access_;
  bool in_order_;
};

}  // namespace gsg::cuda::internal

#endif  // GSG_TESTS_CUDA_EMULATED_LOSS_H_

#include <ATen/cuda/CUDAGraph.h>
#include <c10/util/Exception.h>

#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cuda/augment.h"
#include "cuda/batch_norm.h"
#include "cuda/guided_loss.h"
#include "gsg_core/half.h"
#include "models/gpu/gpu.h"

namespace gsg {
namespace {

class CudaGraph final : public Recorder {
 public:
  absl::Status Record(const std::function<absl::Status()>& body) override {
    graph_.emplace();
    try {
      // Memory that `body` allocates belongs to the graph from here on.
      graph_->capture_begin();
      const absl::Status status = body();
      graph_->capture_end();
      if (!status.ok()) graph_.reset();
      return status;
    } catch (const c10::Error& error) {
      End();
      return absl::FailedPreconditionError(
          absl::StrCat("a step cannot be recorded as a CUDA graph (",
                       error.what_without_backtrace(), ")"));
    }
  }

  void Replay() override { graph_->replay(); }

 private:
  // A capture that failed has to be ended, too, which reports the failure
  // again.
  void End() {
    try {
      graph_->capture_end();
    } catch (const c10::Error&) {
    }
    graph_.reset();
  }

  std::optional<at::cuda::CUDAGraph> graph_;
};

template <typename T>
constexpr LossKernel<T> Loss() {
  return {&cuda::GuidedLoss<T>, &cuda::GuidedLoss<T>,
          &cuda::LossWorkspaceBytes};
}

template <typename T>
constexpr BatchNormKernel<T> BatchNorm() {
  return {&cuda::BatchNorm<T>, &cuda::BatchNorm<T>};
}

std::unique_ptr<Recorder> MakeRecorder() {
  return std::make_unique<CudaGraph>();
}

}  // namespace

const GpuFunctions* Gpu() {
  static constexpr GpuFunctions kFunctions = {
      {Loss<float>(), Loss<Half>(), Loss<BFloat16>()},
      {BatchNorm<float>(), BatchNorm<Half>(), BatchNorm<BFloat16>()},
      {&cuda::Augment<float>, &cuda::AugmentWorkspaceBytes},
      &MakeRecorder,
  };
  return &kFunctions;
}

}  // namespace gsg

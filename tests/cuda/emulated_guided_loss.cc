// What cuda/guided_loss.h declares, by a host that emulates the kernels'
// threads: for tests of those who call it.
#include "absl/status/status.h"
#include "cuda/guided_loss.h"
#include "cuda/internal/loss_plan.h"
#include "cuda/stream.h"
#include "gsg_core/half.h"
#include "gsg_core/loss.h"
#include "tests/cuda/emulated_loss.h"

namespace gsg::cuda {
namespace {

template <typename Views, typename Grads>
absl::Status Run(const Views& views, const LossOptions& options,
                 const Grads* grads, const LossOutputs& outputs) {
  const auto args = internal::PlanLoss(views, options, grads, outputs);
  if (!args.ok()) return args.status();
  internal::Emulate(*args, internal::ShapeOf(*args));
  return absl::OkStatus();
}

}  // namespace

template <typename T>
absl::Status GuidedLoss(const FourViews<T>& views, const LossOptions& options,
                        const FourViewGrads<T>* grads,
                        const LossOutputs& outputs, Stream) {
  return Run(views, options, grads, outputs);
}

template <typename T>
absl::Status GuidedLoss(const SharedViews<T>& views, const LossOptions& options,
                        const SharedGrads<T>* grads, const LossOutputs& outputs,
                        Stream) {
  return Run(views, options, grads, outputs);
}

#define GSG_INSTANTIATE(T)                                                    \
  template absl::Status GuidedLoss(const FourViews<T>&, const LossOptions&,   \
                                   const FourViewGrads<T>*,                   \
                                   const LossOutputs&, Stream);               \
  template absl::Status GuidedLoss(const SharedViews<T>&, const LossOptions&, \
                                   const SharedGrads<T>*, const LossOutputs&, \
                                   Stream);
GSG_INSTANTIATE(float)
GSG_INSTANTIATE(Half)
GSG_INSTANTIATE(BFloat16)
#undef GSG_INSTANTIATE

}  // namespace gsg::cuda

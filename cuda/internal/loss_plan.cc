#include "cuda/internal/loss_plan.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "cuda/guided_loss.h"
#include "cuda/internal/loss_args.h"
#include "gsg_core/distances/list.h"
#include "gsg_core/distances/pair_sum.h"
#include "gsg_core/half.h"
#include "gsg_core/internal/checks.h"
#include "gsg_core/internal/loss_options.h"
#include "gsg_core/rows.h"
#include "gsg_core/selections/list.h"

namespace gsg::cuda {
namespace internal {
namespace {

using gsg::core_internal::NamedRows;

// A block takes more rows only where all multiprocessors have enough of them
// (an H100 has 132, each with up to 4 blocks at once).
constexpr int64_t kRowsForOneMore = 1024;

// Gradients of more bytes than this do not stay in the cache until someone
// reads them, whatever is done (an H100 has 50 MB).
constexpr int64_t kStreamingBytes = int64_t{32} << 20;

// The kernels count columns and blocks in 32 bits.
constexpr int64_t kMaxSide = int64_t{1} << 30;

int RowsPerBlock(int64_t rows) {
  return static_cast<int>(
      std::clamp<int64_t>(rows / kRowsForOneMore, 1, kMaxRowsPerBlock));
}

absl::Status CheckOutputs(const LossOutputs& outputs) {
  if (outputs.faults == nullptr) {
    return absl::InvalidArgumentError(
        "outputs.faults is null; it must be given");
  }
  if (outputs.workspace == nullptr) {
    return absl::InvalidArgumentError(
        "outputs.workspace is null; it must have LossWorkspaceBytes(N)");
  }
  if (reinterpret_cast<uintptr_t>(outputs.workspace) % alignof(BlockTotal) !=
      0) {
    return absl::InvalidArgumentError(
        absl::StrCat("outputs.workspace must lie on a multiple of ",
                     alignof(BlockTotal), " bytes"));
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status CheckArguments(const LossOptions& options,
                            const LossOutputs& outputs,
                            absl::Span<const NamedRows<T>> inputs,
                            absl::Span<const NamedRows<T>> grads) {
  absl::Status status = gsg::core_internal::CheckLossOptions(
      options.distance, options.selection, options, options.grad_scale);
  if (status.ok()) status = gsg::core_internal::CheckShapes<T>(inputs);
  if (status.ok()) status = gsg::core_internal::CheckGrads<T>(grads, inputs);
  if (status.ok()) status = CheckOutputs(outputs);
  const Rows<const T>& first = inputs.front().rows;
  if (status.ok() && std::max(first.rows(), first.cols()) > kMaxSide) {
    return absl::InvalidArgumentError(
        absl::StrCat(inputs.front().name, " is ", first.rows(), " x ",
                     first.cols(), "; neither may be above ", kMaxSide));
  }
  return status;
}

template <typename T>
InputRows<T> Input(const Rows<const T>& rows) {
  return {rows.data(), rows.row_stride()};
}
template <typename T>
GradRows<T> Grad(const Rows<T>& rows) {
  return {rows.data(), rows.row_stride()};
}

// `gradients`: how many matrices of them are written.
void SetCommon(int64_t rows, int64_t cols, int64_t gradients,
               int64_t element_bytes, const LossOptions& options,
               const LossOutputs& outputs, LossArgs& args) {
  args.rows = rows;
  args.cols = static_cast<int>(cols);
  args.distance = options.distance;
  args.selection = options.selection;
  distances::List::Visit(options.distance, [&](auto d) {
    args.uses_products = d.kPairSum == distances::PairSum::kProduct;
  });
  selections::List::Visit(options.selection, [&](auto s) {
    args.uses_distances = s.kUsesDistances;
  });
  args.streaming = gradients * rows * cols * element_bytes > kStreamingBytes;
  args.parameters = options;
  args.grad_scale = options.grad_scale / static_cast<double>(rows);
  args.device_seed = options.device_seed;
  args.device_grad_scale = options.device_grad_scale;
  args.outputs = outputs;
  args.ticket = static_cast<Ticket*>(outputs.workspace);
  args.totals = reinterpret_cast<BlockTotal*>(args.ticket + 1);
  args.rows_per_block = RowsPerBlock(rows);
  args.blocks =
      static_cast<int>((rows + args.rows_per_block - 1) / args.rows_per_block);
}

template <typename Matrix>
bool IsAligned(const Matrix& rows) {
  return reinterpret_cast<uintptr_t>(rows.data) % 16 == 0 &&
         rows.stride * sizeof(*rows.data) % 16 == 0;
}

int Threads(int64_t wanted) {
  return static_cast<int>(
      std::clamp<int64_t>((wanted + 31) / 32 * 32, 32, kMaxThreads));
}

LaunchShape ShapeFor(int64_t cols, int64_t element_bytes, bool aligned) {
  if (!aligned || cols * element_bytes % 16 != 0) {
    return {Access::kElements, Threads(cols / 4)};
  }
  if (cols <= int64_t{kMaxThreads} * kElementsPerThread) {
    return {Access::kRegisters,
            Threads((cols + kElementsPerThread - 1) / kElementsPerThread)};
  }
  return {Access::kVectors, kMaxThreads};
}

}  // namespace

template <typename T>
absl::StatusOr<FourViewArgs<T>> PlanLoss(const FourViews<T>& views,
                                         const LossOptions& options,
                                         const FourViewGrads<T>* grads,
                                         const LossOutputs& outputs) {
  const NamedRows<T> inputs[] = {{"p11", views.p11}, {"p12", views.p12},
                                 {"p21", views.p21}, {"p22", views.p22},
                                 {"z11", views.z11}, {"z12", views.z12},
                                 {"z21", views.z21}, {"z22", views.z22}};
  FourViewArgs<T> args{};
  std::vector<NamedRows<T>> named_grads;
  if (grads != nullptr) {
    named_grads = {{"grads.p11", grads->p11},
                   {"grads.p12", grads->p12},
                   {"grads.p21", grads->p21},
                   {"grads.p22", grads->p22}};
    args.grads[0] = Grad(grads->p11);
    args.grads[1] = Grad(grads->p12);
    args.grads[2] = Grad(grads->p21);
    args.grads[3] = Grad(grads->p22);
  }
  absl::Status status =
      CheckArguments<T>(options, outputs, inputs, named_grads);
  if (!status.ok()) return status;
  SetCommon(views.p11.rows(), views.p11.cols(), named_grads.size(), sizeof(T),
            options, outputs, args);
  for (int v = 0; v < 4; ++v) {
    args.p[v] = Input(inputs[v].rows);
    args.z[v] = Input(inputs[4 + v].rows);
  }
  return args;
}

template <typename T>
absl::StatusOr<SharedViewArgs<T>> PlanLoss(const SharedViews<T>& views,
                                           const LossOptions& options,
                                           const SharedGrads<T>* grads,
                                           const LossOutputs& outputs) {
  const size_t locals = views.local_p.size();
  if (locals > kMaxLocalViews) {
    return absl::InvalidArgumentError(
        absl::StrCat("local_p has ", locals, " matrices; there may be up to ",
                     kMaxLocalViews));
  }
  if (grads != nullptr && grads->local_p.size() != locals) {
    return absl::InvalidArgumentError(absl::StrCat(
        "grads.local_p has ", grads->local_p.size(), " matrices; local_p has ",
        locals, ", and each needs one"));
  }
  SharedViewArgs<T> args{};
  std::vector<NamedRows<T>> inputs = {
      {"p1", views.p1}, {"p2", views.p2}, {"z1", views.z1}, {"z2", views.z2}};
  std::vector<NamedRows<T>> named_grads;
  if (grads != nullptr) {
    named_grads = {{"grads.p1", grads->p1}, {"grads.p2", grads->p2}};
    args.grads[0] = Grad(grads->p1);
    args.grads[1] = Grad(grads->p2);
  }
  std::vector<std::string> names;  // which errors refer to
  names.reserve(2 * locals);
  for (size_t l = 0; l < locals; ++l) {
    names.push_back(absl::StrCat("local_p[", l, "]"));
    inputs.push_back({names.back(), views.local_p[l]});
    args.local_p[l] = Input(views.local_p[l]);
    if (grads == nullptr) continue;
    names.push_back(absl::StrCat("grads.", names.back()));
    named_grads.push_back({names.back(), grads->local_p[l]});
    args.local_grads[l] = Grad(grads->local_p[l]);
  }
  absl::Status status =
      CheckArguments<T>(options, outputs, inputs, named_grads);
  if (!status.ok()) return status;
  if (views.pairing.pairing == nullptr || views.pairing.inverse == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(
        "pairing.", views.pairing.pairing == nullptr ? "pairing" : "inverse",
        " is null; shared views need both"));
  }
  SetCommon(views.p1.rows(), views.p1.cols(), named_grads.size(), sizeof(T),
            options, outputs, args);
  for (int v = 0; v < 2; ++v) {
    args.p[v] = Input(inputs[v].rows);
    args.z[v] = Input(inputs[2 + v].rows);
  }
  args.pairing = views.pairing;
  args.locals = static_cast<int>(locals);
  return args;
}

template <typename T>
LaunchShape ShapeOf(const FourViewArgs<T>& args) {
  bool aligned = true;
  for (int v = 0; v < 4; ++v) {
    aligned = aligned && IsAligned(args.p[v]) && IsAligned(args.z[v]) &&
              IsAligned(args.grads[v]);
  }
  return ShapeFor(args.cols, sizeof(T), aligned);
}

template <typename T>
LaunchShape ShapeOf(const SharedViewArgs<T>& args) {
  bool aligned = true;
  for (int v = 0; v < 2; ++v) {
    aligned = aligned && IsAligned(args.p[v]) && IsAligned(args.z[v]) &&
              IsAligned(args.grads[v]);
  }
  for (int l = 0; l < args.locals; ++l) {
    aligned =
        aligned && IsAligned(args.local_p[l]) && IsAligned(args.local_grads[l]);
  }
  return ShapeFor(args.cols, sizeof(T), aligned);
}

#define GSG_INSTANTIATE(T)                                              \
  template absl::StatusOr<FourViewArgs<T>> PlanLoss(                    \
      const FourViews<T>&, const LossOptions&, const FourViewGrads<T>*, \
      const LossOutputs&);                                              \
  template absl::StatusOr<SharedViewArgs<T>> PlanLoss(                  \
      const SharedViews<T>&, const LossOptions&, const SharedGrads<T>*, \
      const LossOutputs&);                                              \
  template LaunchShape ShapeOf(const FourViewArgs<T>&);                 \
  template LaunchShape ShapeOf(const SharedViewArgs<T>&);
GSG_INSTANTIATE(float)
GSG_INSTANTIATE(Half)
GSG_INSTANTIATE(BFloat16)
#undef GSG_INSTANTIATE

}  // namespace internal

size_t LossWorkspaceBytes(int64_t rows) {
  // The number of blocks is largest where each is about to get a second row.
  const int64_t most = std::min(rows, 2 * internal::kRowsForOneMore);
  const int64_t blocks =
      std::max(most, (rows + internal::kMaxRowsPerBlock - 1) /
                         internal::kMaxRowsPerBlock);
  return sizeof(internal::Ticket) +
         static_cast<size_t>(blocks) * sizeof(internal::BlockTotal);
}

}  // namespace gsg::cuda

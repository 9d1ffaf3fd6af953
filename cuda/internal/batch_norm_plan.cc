#include "cuda/internal/batch_norm_plan.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cuda/batch_norm.h"
#include "cuda/internal/batch_norm_args.h"
#include "gsg_core/half.h"

namespace gsg::cuda {
namespace internal {
namespace {

// Rows of a memory transaction: 128 bytes.
constexpr int kAcross = 8;
// As many as an H100's 132 multiprocessors run at once, so that they all end at
// about the same time. Fewer multiprocessors work in turns.
constexpr int64_t kBlocks = 132 * kNormBlocksPerMultiprocessor;
// Sums of more values than this in a row would lose digits.
constexpr int64_t kMostSteps = 512;
constexpr int64_t kFewestSteps = 4;

struct Argument {
  absl::string_view name;
  const void* pointer;
  bool required = true;
};

absl::Status CheckShape(const BatchNormShape& shape, int64_t width) {
  if (shape.views < 1 || shape.rows < 2 || shape.channels < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "shape is ", shape.views, " views of ", shape.rows, " rows and ",
        shape.channels,
        " channels; there must be a view, a channel, and two rows in a view"));
  }
  if (shape.channels % width != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("shape.channels is ", shape.channels,
                     "; it must be a multiple of ", width));
  }
  // Positions and block numbers stay far from their types' ends.
  constexpr int64_t kMost = int64_t{1} << 40;
  if (shape.channels > INT32_MAX / 64 || shape.views > 1024 ||
      shape.rows > kMost / shape.views / shape.channels) {
    return absl::InvalidArgumentError(absl::StrCat(
        "shape is ", shape.views, " views of ", shape.rows, " rows and ",
        shape.channels, " channels; more than 1024 views, 2^25 channels or ",
        "2^40 values are not supported"));
  }
  return absl::OkStatus();
}

absl::Status CheckGiven(std::initializer_list<Argument> arguments) {
  for (const Argument& argument : arguments) {
    if (argument.pointer == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat(argument.name, " is null; it must be given"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckAligned(std::initializer_list<Argument> arguments) {
  for (const Argument& argument : arguments) {
    if (reinterpret_cast<uintptr_t>(argument.pointer) % 16 != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(argument.name, " must be on a multiple of 16 bytes"));
    }
  }
  return absl::OkStatus();
}

int64_t DivideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

NormGrid GridOf(const BatchNormShape& shape, int width) {
  NormGrid grid;
  grid.rows = shape.rows;
  grid.views = static_cast<int>(shape.views);
  grid.channels = static_cast<int>(shape.channels);
  const int groups = static_cast<int>(DivideUp(grid.channels, width));
  grid.across = std::min(kAcross, groups);
  grid.tiles = static_cast<int>(DivideUp(groups, grid.across));
  grid.down = kNormThreads / grid.across;
  const int64_t parts = DivideUp(kBlocks, int64_t{grid.views} * grid.tiles);
  const int64_t steps = std::clamp(DivideUp(shape.rows, parts * grid.down),
                                   kFewestSteps, kMostSteps);
  grid.part = steps * grid.down;
  grid.parts = static_cast<int>(DivideUp(shape.rows, grid.part));
  return grid;
}

template <typename T>
absl::StatusOr<NormForwardArgs<T>> PlanBatchNorm(
    const BatchNormShape& shape, const BatchNormForward<T>& forward) {
  constexpr int kWidth = BatchNormChannels<T>();
  absl::Status status = CheckShape(shape, kWidth);
  status.Update(CheckGiven({{"x", forward.x},
                            {"y", forward.y},
                            {"mean", forward.mean},
                            {"inverse_std", forward.inverse_std},
                            {"workspace", forward.workspace}}));
  status.Update(CheckAligned({{"x", forward.x},
                              {"residual", forward.residual},
                              {"y", forward.y},
                              {"workspace", forward.workspace}}));
  if (status.ok() &&
      (forward.running_mean == nullptr) != (forward.running_var == nullptr)) {
    status = absl::InvalidArgumentError(
        "running_mean or running_var is null; give both or neither");
  }
  if (status.ok() && !(std::isfinite(forward.eps) && forward.eps > 0)) {
    status = absl::InvalidArgumentError(
        absl::StrCat("eps is ", forward.eps, "; it must be above 0"));
  }
  if (!status.ok()) return status;
  return NormForwardArgs<T>{GridOf(shape, kWidth), forward,
                            static_cast<float*>(forward.workspace)};
}

template <typename T>
absl::StatusOr<NormBackwardArgs<T>> PlanBatchNorm(
    const BatchNormShape& shape, const BatchNormBackward<T>& backward) {
  constexpr int kWidth = BatchNormChannels<T>();
  absl::Status status = CheckShape(shape, kWidth);
  status.Update(CheckGiven({{"dy", backward.dy},
                            {"x", backward.x},
                            {"mean", backward.mean},
                            {"inverse_std", backward.inverse_std},
                            {"dx", backward.dx},
                            {"workspace", backward.workspace}}));
  status.Update(CheckAligned({{"dy", backward.dy},
                              {"x", backward.x},
                              {"dx", backward.dx},
                              {"dresidual", backward.dresidual},
                              {"workspace", backward.workspace}}));
  if (!status.ok()) return status;
  const NormGrid grid = GridOf(shape, kWidth);
  float* const partial = static_cast<float*>(backward.workspace);
  return NormBackwardArgs<T>{
      grid, backward, partial,
      partial + 2 * shape.views * grid.parts * shape.channels};
}

#define GSG_INSTANTIATE(T)                                    \
  template absl::StatusOr<NormForwardArgs<T>> PlanBatchNorm(  \
      const BatchNormShape&, const BatchNormForward<T>&);     \
  template absl::StatusOr<NormBackwardArgs<T>> PlanBatchNorm( \
      const BatchNormShape&, const BatchNormBackward<T>&);
GSG_INSTANTIATE(float)
GSG_INSTANTIATE(Half)
GSG_INSTANTIATE(BFloat16)
#undef GSG_INSTANTIATE

}  // namespace internal

size_t BatchNormWorkspaceBytes(const BatchNormShape& shape) {
  // Of the type with more parts: float's tiles have half as many channels.
  const int64_t parts = std::max(internal::GridOf(shape, 4).parts,
                                 internal::GridOf(shape, 8).parts);
  return sizeof(float) *
         static_cast<size_t>(shape.views * shape.channels * (2 * parts + 3));
}

}  // namespace gsg::cuda

#ifndef GSG_CUDA_BATCH_NORM_H_
#define GSG_CUDA_BATCH_NORM_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "cuda/stream.h"

// Batch normalization (Ioffe and Szegedy, arXiv 1502.03167) in training, with
// what mostly follows it: relu(batch_norm(x) + residual). All of this waits for
// memory, so that passes over it are what counts: x is read twice and y written
// once, and on the way back x and dy are read twice and dx written once.
// Pointers are to memory that the current device can reach; nothing is
// allocated, nothing waits for the device, and a call can be captured in a CUDA
// graph (after one that was not: CUDA loads a kernel when it is first
// launched). Sums are taken in an order that depends on the shape alone.
namespace gsg::cuda {

// [views, rows, channels], contiguous: features, or images in channels-last,
// where each pixel is a row. Each view is normalized with its own statistics.
struct BatchNormShape {
  int64_t views = 1;
  int64_t rows = 0;  // of a view, at least 2
  int64_t channels = 0;
};

// T is float, Half or BFloat16 (gsg_core/half.h). Sums are taken in float for
// up to some hundred values, and these in double.
template <typename T>
struct BatchNormForward {
  const T* x = nullptr;           // of the shape
  const T* residual = nullptr;    // of the shape; null: 0
  const float* weight = nullptr;  // [channels]; null: 1
  const float* bias = nullptr;    // [channels]; null: 0
  float eps = 1e-5f;
  bool relu = false;
  // [channels], updated view after view: running += momentum (new - running),
  // with the unbiased variance. Both or neither.
  float* running_mean = nullptr;
  float* running_var = nullptr;
  float momentum = 0.1f;
  int64_t* batches = nullptr;  // [1], to which the views are added; may be null

  T* y = nullptr;  // of the shape
  // For the way back. mean, inverse_std: [views, channels]; must be given.
  // positive: BatchNormMaskBytes, where y > 0; read with relu alone. Null:
  // there will be no way back.
  float* mean = nullptr;
  float* inverse_std = nullptr;
  uint8_t* positive = nullptr;

  void* workspace = nullptr;  // BatchNormWorkspaceBytes; any contents
};

template <typename T>
struct BatchNormBackward {
  const T* dy = nullptr;  // of the shape
  // As they were, and as they were written.
  const T* x = nullptr;
  const float* weight = nullptr;
  const float* mean = nullptr;
  const float* inverse_std = nullptr;
  const uint8_t* positive = nullptr;  // null: there was no relu

  T* dx = nullptr;  // of the shape
  // Of the shape: dy where y > 0, and 0 elsewhere. Null: not written.
  T* dresidual = nullptr;
  float* dweight = nullptr;  // [channels]; null: not written
  float* dbias = nullptr;    // [channels]; null: not written

  void* workspace = nullptr;  // BatchNormWorkspaceBytes; any contents
};

// A multiple of this many channels is needed: 16 bytes.
template <typename T>
constexpr int64_t BatchNormChannels() {
  return 16 / static_cast<int64_t>(sizeof(T));
}

// One byte for each 16 of x, with a bit for each value.
template <typename T>
size_t BatchNormMaskBytes(const BatchNormShape& shape) {
  return static_cast<size_t>(shape.views * shape.rows * shape.channels /
                             BatchNormChannels<T>());
}

// For either way.
size_t BatchNormWorkspaceBytes(const BatchNormShape& shape);

// InvalidArgument, naming the argument: a shape that is out of its range, or
// whose channels are no multiple of BatchNormChannels; what must be given is
// null; x, residual, dy, y, dx, dresidual or workspace is not on a multiple of
// 16 bytes. Internal, with CUDA's words, if a launch fails. Values that are not
// finite are passed on.
template <typename T>
absl::Status BatchNorm(const BatchNormShape& shape,
                       const BatchNormForward<T>& forward, Stream stream);
template <typename T>
absl::Status BatchNorm(const BatchNormShape& shape,
                       const BatchNormBackward<T>& backward, Stream stream);

}  // namespace gsg::cuda

#endif  // GSG_CUDA_BATCH_NORM_H_

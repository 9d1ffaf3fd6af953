#ifndef GSG_CUDA_INTERNAL_BATCH_NORM_ARGS_H_
#define GSG_CUDA_INTERNAL_BATCH_NORM_ARGS_H_

#include <cstdint>

#include "cuda/batch_norm.h"

// What the kernels of batch normalization are launched with: plain data,
// checked.
namespace gsg::cuda::internal {

inline constexpr int kNormThreads = 256;
inline constexpr int kNormBlocksPerMultiprocessor = 3;

// A matrix of `rows` behind each other for each view, cut into tiles of columns
// and these into parts of rows, one for each block. A thread has 16 bytes of a
// row, its group of channels, in every down-th row of the part.
struct NormGrid {
  int64_t rows;  // of a view
  int64_t part;  // rows of one, but for a view's last
  int views;
  int channels;
  int parts;   // of a view
  int tiles;   // of columns
  int across;  // groups of a tile, but for the last
  int down;    // rows that a block looks at at once

  constexpr int blocks() const { return views * parts * tiles; }
};

// Workspace:
//   float partial[views][parts][2][channels], two sums of each block;
//   float factors[views][3][channels], of dx.
template <typename T>
struct NormForwardArgs {
  NormGrid grid;
  BatchNormForward<T> io;
  float* partial;
};

template <typename T>
struct NormBackwardArgs {
  NormGrid grid;
  BatchNormBackward<T> io;
  float* partial;
  float* factors;
};

// Channels of a block of the kernels that add up the parts: 32 bytes of each.
// Its other threads share the parts, so that none reads many one after another.
inline constexpr int kFinishChannels = 8;
inline constexpr int kFinishSlices = kNormThreads / kFinishChannels;
inline int FinishBlocks(const NormGrid& grid) {
  return (grid.channels + kFinishChannels - 1) / kFinishChannels;
}

}  // namespace gsg::cuda::internal

#endif  // GSG_CUDA_INTERNAL_BATCH_NORM_ARGS_H_

#ifndef GSG_CUDA_INTERNAL_LOSS_ARGS_H_
#define GSG_CUDA_INTERNAL_LOSS_ARGS_H_

#include <cstdint>

#include "cuda/guided_loss.h"
#include "gsg_core/distance.h"
#include "gsg_core/selection.h"

// What the loss kernels are launched with: plain data, checked.
namespace gsg::cuda::internal {

// The rows that one block goes through, one after the other.
inline constexpr int kMaxRowsPerBlock = 8;

// What blocks leave for the last of them: the workspace.
struct Ticket {
  uint32_t blocks;  // that are done
  uint32_t unused;
};
struct BlockTotal {
  double loss;
  double pair_count[5];  // exact
};

template <typename T>
struct InputRows {
  const T* data;
  int64_t stride;
};
template <typename T>
struct GradRows {
  T* data;  // null: not wanted
  int64_t stride;
};

// Of both forms.
struct LossArgs {
  int64_t rows;
  int cols;
  Distance distance;
  Selection selection;
  bool uses_distances;  // the selection does
  bool uses_products;   // the distance takes products, not differences
  bool streaming;       // gradients go around the cache
  SelectionParameters parameters;
  double grad_scale;  // over the number of rows
  const uint64_t* device_seed;
  const float* device_grad_scale;
  LossOutputs outputs;
  Ticket* ticket;
  BlockTotal* totals;  // [blocks]
  int rows_per_block;
  int blocks;
};

template <typename T>
struct FourViewArgs : LossArgs {
  InputRows<T> p[4], z[4];
  GradRows<T> grads[4];
};

template <typename T>
struct SharedViewArgs : LossArgs {
  InputRows<T> p[2], z[2];
  GradRows<T> grads[2];
  Pairing pairing;
  int locals;
  InputRows<T> local_p[kMaxLocalViews];
  GradRows<T> local_grads[kMaxLocalViews];
};

// Which of the kernels, and with how many threads a block.
enum class Access {
  kRegisters,  // 16 bytes at a time; rows stay in registers
  kVectors,    // 16 bytes at a time; rows, too long for that, are read twice
  kElements,   // one element at a time: not aligned
};
struct LaunchShape {
  Access access;
  int threads;  // a multiple of 32
};

inline constexpr int kMaxThreads = 512;
// How many elements of a row a thread keeps: 2048 in 256 threads.
inline constexpr int kElementsPerThread = 8;
constexpr int VectorsPerThread(int element_bytes) {
  return kElementsPerThread * element_bytes / 16;
}

// The bits of a fault word: that of an input, in the order of the views'
// members (the last local views share one), and this.
inline constexpr uint32_t kBadPairing = 1u << 31;
constexpr uint32_t NonFinite(int input) {
  return 1u << (input < 30 ? input : 30);
}

}  // namespace gsg::cuda::internal

#endif  // GSG_CUDA_INTERNAL_LOSS_ARGS_H_

#ifndef GSG_CUDA_INTERNAL_ROW_PART_H_
#define GSG_CUDA_INTERNAL_ROW_PART_H_

#include "cuda/internal/device.h"

namespace gsg::cuda::internal {

// The columns of a row that a thread works on, kWidth next to each other at a
// time: every threads-th such group. At most kKept groups, and their elements
// stay in registers.
template <typename T, int kWidth, int kKept>
class RowPart {
 public:
  // Calls f(k, c) for the thread's groups: the k-th, which begins at column c.
  template <typename F>
  GSG_DEVICE static void ForGroups(int cols, int thread, int threads, F&& f) {
    GSG_UNROLL
    for (int k = 0; k < kKept; ++k) {
      const int c = kWidth * (thread + k * threads);
      if (c < cols) f(k, c);
    }
  }

  // Groups behind the end of the row become 0. (If they stayed as they are, all
  // of them would be needed, and kept, from each row to the next.)
  GSG_DEVICE void Load(const T* row, int cols, int thread, int threads) {
    GSG_UNROLL
    for (int k = 0; k < kKept; ++k) {
      const int c = kWidth * (thread + k * threads);
      kept_[k] = {};
      if (c < cols) kept_[k].Load(row + c);
    }
  }

  GSG_DEVICE Group<T, kWidth> Get(int k, int /*c*/) const { return kept_[k]; }

 private:
  Group<T, kWidth> kept_[kKept];
};

// Any number of groups, which are read when they are asked for. k is always 0.
template <typename T, int kWidth>
class RowPart<T, kWidth, 0> {
 public:
  template <typename F>
  GSG_DEVICE static void ForGroups(int cols, int thread, int threads, F&& f) {
    for (int c = kWidth * thread; c < cols; c += kWidth * threads) f(0, c);
  }

  GSG_DEVICE void Load(const T* row, int /*cols*/, int /*thread*/,
                       int /*threads*/) {
    row_ = row;
  }

  GSG_DEVICE Group<T, kWidth> Get(int /*k*/, int c) const {
    Group<T, kWidth> group;
    group.Load(row_ + c);
    return group;
  }

 private:
  const T* row_ = nullptr;
};

}  // namespace gsg::cuda::internal

#endif  // GSG_CUDA_INTERNAL_ROW_PART_H_

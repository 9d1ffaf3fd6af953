#ifndef GSG_CUDA_INTERNAL_AUGMENT_ARGS_H_
#define GSG_CUDA_INTERNAL_AUGMENT_ARGS_H_

#include <cstddef>
#include <cstdint>

#include "cuda/augment.h"
#include "pixels/params.h"

// What the augmentation kernel is launched with: plain data, checked.
namespace gsg::cuda::internal {

template <typename T>
struct AugmentArgs {
  ImageArray images;
  int size;
  int blur_kernel;
  PixelOrder order;
  bool vectors;  // of 16 bytes are written
  float mean[3];
  float inverse_std[3];  // 1 and a mean of 0: no normalization
  const int64_t* index;
  const AugmentParams* params;
  int views;
  T* out;
  float* workspace;  // null: all is in shared memory
  uint32_t* faults;
  int vertical_taps;  // at most, of any crop
  int horizontal_taps;
};

// The scratch memory of a view. Planes come first, in shared memory or in the
// workspace; tables are always in shared memory.
//   float image[channels][size^2], plane[size^2];
//   float vertical[size][taps], horizontal[size][taps], blur[kernel];
//   int vertical_first[size], horizontal_first[size]
constexpr size_t AugmentPlanesBytes(int channels, int size) {
  return sizeof(float) * (channels + 1) * size * size;
}
template <typename T>
size_t AugmentTablesBytes(const AugmentArgs<T>& args) {
  return sizeof(float) * (static_cast<size_t>(args.size) *
                              (args.vertical_taps + args.horizontal_taps + 2) +
                          args.blur_kernel);
}

// A block may have 99 kB on every GPU since the A100's generation, of which its
// sums and its state take some.
inline constexpr size_t kSharedBytes = 92 * 1024;
inline constexpr int kMaxAugmentThreads = 256;

inline constexpr uint32_t kBadCrop = 1;

}  // namespace gsg::cuda::internal

#endif  // GSG_CUDA_INTERNAL_AUGMENT_ARGS_H_

#ifndef GSG_CUDA_AUGMENT_H_
#define GSG_CUDA_AUGMENT_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "cuda/stream.h"
#include "pixels/params.h"

// What trainers/augment does to one view, for a batch of views on a GPU and in
// one launch: the same functions of a pixel (pixels/), so that with the same
// parameters views are the CPU's but for rounding: within 1e-5 of [0, 1] before
// normalization in float32, where no value is so close to a fold (solarization,
// the hue's) that rounding takes it to the other side.
// Pointers are to memory that the current device can reach; nothing is
// allocated, nothing waits for the device, and a call can be captured in a CUDA
// graph (after one that was not: CUDA loads a kernel when it is first
// launched), whose replays read images, indices and parameters anew.
namespace gsg::cuda {

// [count, channels, height, width] uint8, contiguous. 1 or 3 channels.
struct ImageArray {
  const uint8_t* data = nullptr;
  int64_t count = 0;
  int channels = 0;
  int height = 0;
  int width = 0;
};

enum class PixelOrder {
  kPlanes,        // out[view][channel][y][x]
  kChannelsLast,  // out[view][y][x][channel], torch's channels_last
};

struct AugmentSettings {
  int size = 32;        // output side, 1..4096
  int blur_kernel = 3;  // BlurKernel of trainers/augment/options.h: odd
  PixelOrder order = PixelOrder::kPlanes;
  bool normalize = false;  // to (x - mean) / std, by channel
  std::array<float, 3> mean = {};
  std::array<float, 3> std = {1, 1, 1};
};

// 0 where a view fits into the GPU's shared memory, whatever T: about 70 x 70
// with three channels, 100 x 100 with one.
size_t AugmentWorkspaceBytes(const ImageArray& images,
                             const AugmentSettings& settings, int64_t views);

// Makes out[v] of image index[v] by params[v] (SampleParams of
// trainers/augment/params.h, or PlainParams), v < views. out: [views, channels,
// size, size] or [views, size, size, channels] of T = float, Half or BFloat16
// (gsg_core/half.h), which are rounded once. index: [views], params: [views],
// workspace: AugmentWorkspaceBytes, null if that is 0; contents do not matter.
// faults: [1], as in guided_loss.h: its lowest bit is set where an index is not
// an image or a crop does not lie in it; pixels of that view are 0.
//
// InvalidArgument, naming the argument: an empty image array, other than 1 or 3
// channels, a size out of its range, a blur kernel that is even, below 1 or
// does not fit the size, a std that is not above 0, a null pointer. Internal,
// with CUDA's words, if the launch fails.
template <typename T>
absl::Status Augment(const ImageArray& images, const AugmentSettings& settings,
                     const int64_t* index, const AugmentParams* params,
                     int64_t views, T* out, void* workspace, uint32_t* faults,
                     Stream stream);

// What a word of faults, copied to the host, says.
absl::Status AugmentFaults(uint32_t faults);

}  // namespace gsg::cuda

#endif  // GSG_CUDA_AUGMENT_H_

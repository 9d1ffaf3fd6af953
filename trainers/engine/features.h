// Frozen features of whole image sets, for evaluation.

#ifndef GSG_TRAINERS_ENGINE_FEATURES_H_
#define GSG_TRAINERS_ENGINE_FEATURES_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <vector>

#include "models/resnet.h"
#include "trainers/data/image_set.h"

namespace gsg {

// Mean and standard deviation of each channel over all pixels, in 0..1.
struct ChannelStats {
  std::vector<double> mean;
  std::vector<double> std;
};
ChannelStats MeasureChannels(const ImageSet& images);

// Images begin .. begin + count - 1 as [count, C, H, W] float32, normalised.
at::Tensor NormalizedImages(const ImageSet& images, const ChannelStats& stats,
                            int64_t begin, int64_t count);

// All images as flat rows [count, C*H*W] of values in 0..1: the raw-pixel
// baseline.
at::Tensor PixelFeatures(const ImageSet& images);

// The backbone's features [count, feature_dim] float32 on the CPU, computed in
// evaluation mode on `device` at the images' own size; the mode the backbone
// was in is restored. Holds one block of 500 images at a time.
at::Tensor BackboneFeatures(ResNet backbone, const ImageSet& images,
                            const ChannelStats& stats, int64_t count,
                            c10::Device device);

// Labels [count] int64 (0 = all).
at::Tensor Labels(const ImageSet& images, int64_t count);

}  // namespace gsg

#endif  // GSG_TRAINERS_ENGINE_FEATURES_H_

#ifndef GSG_TRAINERS_IMAGE_CHANNEL_STATS_H_
#define GSG_TRAINERS_IMAGE_CHANNEL_STATS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "trainers/image/image.h"
#include "trainers/image/image_set.h"

namespace gsg {

// Mean and standard deviation of each channel over all pixels, in 0..1: what
// images are normalized with, in training and in evaluation.
struct ChannelStats {
  std::vector<double> mean;
  std::vector<double> std;
};

// Exact for up to 2^37 pixels of 8 bits.
class ChannelSums {
 public:
  explicit ChannelSums(size_t channels) : sums_(channels), squares_(channels) {}

  // An image of that many channels.
  void Add(const Image& image);

  // Of what was added, which is not nothing. A channel that is the same
  // everywhere gets a standard deviation of 1: it is only shifted.
  ChannelStats stats() const;

 private:
  template <class T>
  void AddPlanes(const T* chw, size_t plane);

  std::vector<double> sums_;  // 255 is 1, also of images of 16 bits
  std::vector<double> squares_;
  double pixels_ = 0;  // a channel
};

ChannelStats MeasureChannels(const ImageSet& images);

// ImageNet's, the usual ones for photographs: torchvision's transforms have
// them, so that exported weights fit those. `channels` is 3 or 1; the gray
// ones are those of ImageNet in gray. Of bands (AreBands) it has none: empty.
ChannelStats ImageNetChannels(int channels);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_CHANNEL_STATS_H_

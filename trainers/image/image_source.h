#ifndef GSG_TRAINERS_IMAGE_IMAGE_SOURCE_H_
#define GSG_TRAINERS_IMAGE_IMAGE_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trainers/image/image.h"

namespace gsg {

// One thread's way to the images of a source. Owns the file contents, pixels
// and decoders that this takes, and reuses them from image to image.
class ImageReader {
 public:
  virtual ~ImageReader() = default;

  // Goes to image `index`, 0 <= index < the source's size(), and returns its
  // full size as it is meant to be looked at.
  // Errors: whatever is wrong with the image, without its name. The reader can
  // go on to others.
  virtual absl::StatusOr<ImageSize> Open(int64_t index) = 0;

  // The opened image's pixels, at full size or reduced by up to `reduction`
  // (1, 2, 4 or 8) where that saves work: the result says what was done. They
  // stay valid until the next call.
  // Errors: as Open.
  virtual absl::StatusOr<Image> Decode(int reduction) = 0;
};

// Where images come from: a set in memory, or a folder of files. Every image
// of a source has channels() channels. Thread-safe.
class ImageSource {
 public:
  virtual ~ImageSource() = default;

  virtual int64_t size() const = 0;
  virtual int channels() const = 0;

  // The size of every image; 0 x 0 if they may differ.
  virtual ImageSize fixed_size() const = 0;

  // [size()] class numbers, or empty where there are none.
  virtual absl::Span<const int32_t> labels() const = 0;

  // What to call image `index` in messages and lists: its path below the data
  // set's folder, or "train image 17".
  virtual std::string name(int64_t index) const = 0;

  // The source whose images these are, by the same numbers: another one if this
  // only changes how they look. An image counts once, whatever it is read
  // through.
  virtual const ImageSource& original() const { return *this; }

  // The source must outlive the reader.
  virtual std::unique_ptr<ImageReader> MakeReader() const = 0;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_IMAGE_SOURCE_H_

#ifndef GSG_TRAINERS_IMAGE_DAMAGED_IMAGES_H_
#define GSG_TRAINERS_IMAGE_DAMAGED_IMAGES_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "trainers/image/image_source.h"

namespace gsg {

struct DamagedImage {
  std::string name;                     // the source's
  std::string reason;                   // "cut off after 1000 bytes", ...
  const ImageSource* source = nullptr;  // the original()
  int64_t index = 0;
};

// The images that a run could not read, each once, in the order in which it
// came upon them. One caller thread at a time.
class DamagedImages {
 public:
  // Where the limit is from, for the advice in errors.
  enum class Limit {
    kFlag,      // --max_damaged, which this program has
    kOfTheRun,  // the run's settings; this program cannot change them
  };

  // max_share: how many of a source's images, as a share of its size, may be
  // damaged before that is an error; 0 forbids any.
  explicit DamagedImages(double max_share, Limit limit = Limit::kFlag)
      : max_share_(max_share), limit_(limit) {}

  // How many of `size` images may be damaged by a share: that part, but at
  // least ten, or half of them where that is less. A share of some photographs
  // would be none, and a few bad files should not end a run; half are more than
  // a few. Never all; none if the share is 0.
  static int64_t Allowed(double share, int64_t size);

  // Whether `count` damaged images of `source` would be too many.
  bool TooMany(const ImageSource& source, int64_t count) const {
    return count > Allowed(max_share_, source.size());
  }

  // Notes that image `index` of `source` cannot be read, if that is new: of its
  // original(), so that what other sources make of it is the same image.
  // Errors: kDataLoss if more of `source` are damaged now than are allowed; it
  // names both numbers, the first few, and a share that would do.
  absl::Status Add(const ImageSource& source, int64_t index,
                   const absl::Status& reason);

  const std::vector<DamagedImage>& list() const { return list_; }

 private:
  struct OfSource {
    std::set<int64_t> indices;
    std::string first_few;  // for the error
  };

  const double max_share_;
  const Limit limit_;
  std::map<const ImageSource*, OfSource> sources_;
  std::vector<DamagedImage> list_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_DAMAGED_IMAGES_H_

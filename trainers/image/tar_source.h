#ifndef GSG_TRAINERS_IMAGE_TAR_SOURCE_H_
#define GSG_TRAINERS_IMAGE_TAR_SOURCE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "trainers/image/file_source.h"

namespace gsg {

// Image files in tar archives. Each is read from its place, so that images in
// any order cost what files in a folder do. Memory: see FileSource, and 32
// bytes an image.
class TarSource final : public FileSource {
 public:
  // An image: where in which of the archives it lies.
  struct Place {
    int32_t archive = 0;
    FilePart part;
  };

  // archives: their paths. names, places: one for each image. labels: too, or
  // empty. channels: 1 or 3, whatever the files hold.
  TarSource(std::vector<std::string> archives,
            const std::vector<std::string>& names, std::vector<Place> places,
            std::vector<int32_t> labels, int channels)
      : FileSource(names, std::move(labels), channels),
        archives_(std::move(archives)),
        places_(std::move(places)) {}

  absl::Status ReadFile(int64_t index,
                        std::vector<uint8_t>* bytes) const override {
    const Place& place = places_[index];
    return ReadFileBytes(archives_[place.archive], &place.part, bytes);
  }

 private:
  const std::vector<std::string> archives_;
  const std::vector<Place> places_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_TAR_SOURCE_H_

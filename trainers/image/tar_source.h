#ifndef GSG_TRAINERS_IMAGE_TAR_SOURCE_H_
#define GSG_TRAINERS_IMAGE_TAR_SOURCE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
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

  struct Archive {
    std::string path;
    std::string name;  // what names of images begin with
  };

  // names: of the images in their archives. names, places: one for each image.
  // labels: too, or empty. channels: see ImageFileDecoder.
  TarSource(std::vector<Archive> archives,
            const std::vector<std::string>& names, std::vector<Place> places,
            std::vector<int32_t> labels, int channels)
      : FileSource(names, std::move(labels), channels),
        archives_(std::move(archives)),
        places_(std::move(places)) {}

  absl::Status ReadFile(int64_t index,
                        std::vector<uint8_t>* bytes) const override {
    const Place& place = places_[index];
    return ReadFileBytes(archives_[place.archive].path, &place.part, bytes);
  }

  // "shard-000.tar/cat/1.jpg".
  std::string name(int64_t index) const override {
    return absl::StrCat(archives_[places_[index].archive].name, "/",
                        FileSource::name(index));
  }

  std::string Stamp(int64_t index) const override {
    const Place& place = places_[index];
    return StampInArchive(archives_[place.archive].path, place.part);
  }

 private:
  const std::vector<Archive> archives_;
  const std::vector<Place> places_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_TAR_SOURCE_H_

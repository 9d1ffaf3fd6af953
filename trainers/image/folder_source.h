#ifndef GSG_TRAINERS_IMAGE_FOLDER_SOURCE_H_
#define GSG_TRAINERS_IMAGE_FOLDER_SOURCE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "trainers/image/file_source.h"

namespace gsg {

// Image files below a folder. Memory: see FileSource; ImageNet's 1.3 million
// paths take about 60 MB.
class FolderSource final : public FileSource {
 public:
  // paths: of the files, below `root`; if that is empty, from anywhere.
  // labels: one for each, or empty. channels: 1 or 3, whatever the files hold.
  FolderSource(std::string root, const std::vector<std::string>& paths,
               std::vector<int32_t> labels, int channels);

  absl::Status ReadFile(int64_t index,
                        std::vector<uint8_t>* bytes) const override;

  std::string Stamp(int64_t index) const override;

  // The path to open.
  std::string path(int64_t index) const;

 private:
  const std::string root_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_FOLDER_SOURCE_H_

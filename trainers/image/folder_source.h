#ifndef GSG_TRAINERS_IMAGE_FOLDER_SOURCE_H_
#define GSG_TRAINERS_IMAGE_FOLDER_SOURCE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "trainers/image/file_source.h"
#include "trainers/image/tar_index.h"

namespace gsg {

// Image files below a folder, or in archives there. Memory: see FileSource;
// ImageNet's 1.3 million paths take about 60 MB.
class FolderSource final : public FileSource {
 public:
  // paths: of the files, below `root`; if that is empty, from anywhere. in_tar:
  // for each which part of it is an archive (TarIndex); empty: there is none.
  // labels: one for each, or empty. channels: see ImageFileDecoder.
  FolderSource(std::string root, const std::vector<std::string>& paths,
               std::vector<int32_t> labels, int channels,
               std::vector<FileInTar> in_tar = {});

  absl::Status ReadFile(int64_t index,
                        std::vector<uint8_t>* bytes) const override;

  std::string Stamp(int64_t index) const override;

  // The path to open, or where it lies in an archive "DIR/a.tar/cat/1.jpg".
  std::string path(int64_t index) const;

 private:
  const std::string root_;
  const std::vector<FileInTar> in_tar_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_FOLDER_SOURCE_H_

#ifndef GSG_TRAINERS_IMAGE_TAR_TREE_H_
#define GSG_TRAINERS_IMAGE_TAR_TREE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trainers/image/file_source.h"
#include "trainers/image/folder_layout.h"
#include "trainers/image/folder_scan.h"

namespace gsg {

// Some tar archives as the one tree of folders into which they would be
// unpacked: each into the folder that it is called as, if it has not put its
// files there itself. So 1.jpg of val-000.tar is val/1.jpg, and so is val/1.jpg
// of photos.tar. What archives called neither way hold is train/... if others
// are called so.
//
// The tree's top is the folder that has the folders for training and
// validation, where all images lie in one that has: photos/train/1.jpg of an
// archive into which the folder photos was packed is train/1.jpg.
//
// Of files that have the same name in one archive the last counts, as in
// unpacking; where two archives have a name, both count.
class TarTree final : public ImageTree {
 public:
  struct Archive {
    std::string path;
    // What its images' names begin with: the path, or its part below a folder,
    // the same of all archives.
    std::string name;
    Split split = Split::kNone;
  };

  struct Image {
    std::string path;
    int32_t archive = 0;  // the one it lies in
    FilePart part;        // of that
    int32_t label = -1;   // by the .cls file beside it; -1: there is none
    size_t prefix = 0;    // bytes of `path` that are not in the archive
  };

  // Reads the headers of all archives, of which there is at least one. If all
  // are called as a validation or test set, they are what was meant, and
  // `split` is not looked at.
  // Errors: those of ListTar; kInvalidArgument for .cls files that hold no
  // number, and for an archive that is called as a validation or test set and
  // has a folder that is called as a training set.
  static absl::StatusOr<TarTree> Read(std::vector<Archive> archives);

  // The images of some paths, which are sorted and from Scan.
  std::vector<const Image*> ImagesOf(
      const std::vector<std::string>& paths) const;

  // Called by archive and name there. labels: one for each image, or empty.
  std::unique_ptr<FileSource> MakeSource(
      const std::vector<const Image*>& images, std::vector<int32_t> labels,
      int channels) const;

  absl::StatusOr<std::vector<std::string>> Subfolders(
      const std::string& path) const override;
  // Folders of `keep_out` are called as test sets, and there are no links.
  absl::StatusOr<Findings> Scan(
      const std::string& path, bool training,
      const std::vector<std::string>& keep_out) const override;
  std::string NameOf(const std::string& path) const override;
  absl::Status NoImages(const std::string& path,
                        const Findings& findings) const override;
  bool AreSame(const std::string& a, const std::string& b) const override;
  bool IsLink(const std::string& path) const override;

 private:
  struct Folder {
    int32_t archive = 0;   // one that has it
    size_t prefix = 0;     // as of Image
    Findings passed_over;  // of the files in it, not of those below
  };

  TarTree() = default;
  absl::Status ReadArchive(
      int32_t number,
      std::map<std::pair<int32_t, std::string>, Findings>* folders);
  absl::Status PutInPlace(
      std::map<std::pair<int32_t, std::string>, Findings> folders);
  // The folder and those above it.
  Folder& FolderAt(absl::string_view path, int32_t archive, size_t prefix);
  void DropReplaced();
  std::string Name(const std::string& archive, absl::string_view path,
                   size_t prefix) const;

  std::vector<Archive> archives_;
  std::string root_;           // the top's name in the archives, with "/"
  std::vector<Image> images_;  // sorted by path
  std::map<std::string, Folder> folders_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_TAR_TREE_H_

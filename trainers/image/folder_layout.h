#ifndef GSG_TRAINERS_IMAGE_FOLDER_LAYOUT_H_
#define GSG_TRAINERS_IMAGE_FOLDER_LAYOUT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trainers/image/folder_scan.h"

namespace gsg {

// Folders and files, on disk or in archives. Paths are below the tree's top,
// which is "" itself.
class ImageTree {
 public:
  virtual ~ImageTree() = default;

  // The names of the folders that lie in folder `path` itself, sorted; without
  // those of IsIgnoredName.
  virtual absl::StatusOr<std::vector<std::string>> Subfolders(
      const std::string& path) const = 0;

  // What is in folder `path` at any depth; of images their paths below the top.
  // training: without what is in folders that are called as a validation or
  // test set, and in those of `keep_out`, which are paths; with the images
  // beside `path`, if that is not the top.
  virtual absl::StatusOr<Findings> Scan(
      const std::string& path, bool training,
      const std::vector<std::string>& keep_out) const = 0;

  // What messages call a folder or file.
  virtual std::string NameOf(const std::string& path) const = 0;

  // The error of folder `path`, in which Scan has found no image.
  virtual absl::Status NoImages(const std::string& path,
                                const Findings& findings) const = 0;

  // Whether two folders are the same one, by links.
  virtual bool AreSame(const std::string& a, const std::string& b) const = 0;

  virtual bool IsLink(const std::string& path) const = 0;
};

// What a data set's folder should be like, for errors.
inline constexpr char kFolderLayouts[] =
    "--dataset=folder expects class folders, as in train/<class>/1.jpg and "
    "val/<class>/2.jpg, or, without labels, images at any depth";

// The folders of a data set, by their names in its top.
struct FolderParts {
  std::string train;               // empty if there is none
  std::vector<std::string> tests;  // the first that can be is scored
};

// Errors: kInvalidArgument for two training sets; the tree's.
absl::StatusOr<FolderParts> FindParts(const ImageTree& tree);

// The images to train on, below parts.train or, if that is empty, the top.
// Errors: the tree's; NoImages if there are none.
absl::StatusOr<Findings> TrainingImages(const ImageTree& tree,
                                        const FolderParts& parts);

// Paths of images, in their order, and their classes' numbers.
struct FolderLayout {
  std::vector<std::string> train, test;            // no test without labels
  std::vector<int32_t> train_labels, test_labels;  // one for each, or none
  std::vector<std::string> classes;                // empty without labels
  std::vector<std::string> notes;                  // to be shown to the user
};

// By the rules of folder.h. Errors: those of ReadFolder.
absl::StatusOr<FolderLayout> LayoutOf(const ImageTree& tree,
                                      const FolderParts& parts);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_FOLDER_LAYOUT_H_

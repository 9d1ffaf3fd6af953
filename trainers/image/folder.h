#ifndef GSG_TRAINERS_IMAGE_FOLDER_H_
#define GSG_TRAINERS_IMAGE_FOLDER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "trainers/image/folder_source.h"

namespace gsg {

struct Folder {
  std::unique_ptr<FolderSource> train;
  std::unique_ptr<FolderSource> test;  // null without labels
  std::vector<std::string> classes;    // empty without labels
};

// Finds the images of a data set that is a folder. Labelled, if it has
//   DIR/train/<class>/...   and   DIR/val/<class>/...  (or DIR/test)
// with images at any depth below a class; classes are numbered in the order of
// their names, as torchvision's ImageFolder does, and `val` may lack some.
// Otherwise not labelled: the images are those at any depth below DIR/train,
// or where there is no such folder, below DIR.
//
// Images are the files called .jpg, .jpeg, .png or .webp, in upper or lower
// case; what is in them is seen when they are read. Names that begin with a
// dot are passed over, links are followed. The order is that of the paths,
// byte by byte, and so the same on every machine.
//
// Errors, all saying what is wrong, where, and what to do: kNotFound if the
// folder does not exist, or holds no image; kInvalidArgument if `channels` is
// neither 1 nor 3, or the layout is neither of the above (a class without an
// image, one that only `val` has, images beside class folders); the file
// system's.
absl::StatusOr<Folder> ReadFolder(const std::string& dir, int channels);

// The images at any depth below `dir`, by whatever layout, without labels:
// "images" and "order" as above.
// Errors: kNotFound if the folder does not exist, or holds no image; the file
// system's.
absl::StatusOr<std::unique_ptr<FolderSource>> ReadImages(const std::string& dir,
                                                         int channels);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_FOLDER_H_

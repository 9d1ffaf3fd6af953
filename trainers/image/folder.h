#ifndef GSG_TRAINERS_IMAGE_FOLDER_H_
#define GSG_TRAINERS_IMAGE_FOLDER_H_

#include <string>

#include "absl/status/statusor.h"
#include "trainers/image/images.h"

namespace gsg {

// Finds the images of a data set that is a folder. Labeled, if it has
//   DIR/train/<class>/...   and   DIR/val/<class>/...
// with images at any depth below a class; classes are numbered in the order of
// their names, as torchvision's ImageFolder does, and `val` may lack some.
// `train` may also be called training; val: valid, validation, dev, or where
// there is none of these, test or testing; all in upper or lower case, and also
// as val2017 or test_set (SplitOf). Class names that differ only in Unicode's
// normal form are one class. Otherwise not labeled: the images are those at
// any depth below DIR/train, or where there is no such folder, below DIR. So,
// too, if the folders in val have no class of train: it is not scored, and a
// note says so. Images beside DIR/train are not used, and a note counts them.
//
// Nothing that is called as a validation or test set is ever trained on, at any
// depth; only DIR itself may have such a name.
//
// Images are the files with one of kImageSuffixes (folder_scan.h), in upper or
// lower case; what is in them is seen when they are read. Notes count the
// others, among them HEIC and AVIF files where libheif is missing.
// Names that begin with a dot and what other programs leave behind
// (IsIgnoredName) are passed over, links are followed, each real folder is
// entered once (FolderScan). The order is that of the paths, byte by byte, and
// so the same on every machine.
//
// Errors, all saying what is wrong, where, and what to do: kNotFound if the
// folder does not exist, or holds no image; kInvalidArgument if it is a file,
// CheckChannels refuses `channels`, or the layout is neither of the above (a
// class without an image, one that only `val` has, images beside class folders,
// a class that is called as a test set, two folders for training); kCancelled
// if the program is interrupted; the file system's.
absl::StatusOr<Images> ReadFolder(const std::string& dir, int channels);

// The images at any depth below `path`, by whatever layout, without labels:
// "images" and "order" as above. If it is a file, that one image.
// Errors: kNotFound if there is nothing, or no image; kInvalidArgument for an
// archive; the file system's.
absl::StatusOr<ImageFiles> ReadFolderImages(const std::string& path,
                                            int channels);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_FOLDER_H_

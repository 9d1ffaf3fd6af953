#ifndef GSG_TRAINERS_IMAGE_SHARDS_H_
#define GSG_TRAINERS_IMAGE_SHARDS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trainers/image/images.h"

namespace gsg {

// "a-{008..011}.tar" to a-008.tar, ..., a-011.tar: with as many digits as the
// first number has. What has no such braces stays alone as it is.
// Errors: kInvalidArgument for braces that make no sense, or more than a
// million names.
absl::StatusOr<std::vector<std::string>> ExpandBraces(absl::string_view path);

// Whether `path` names tar archives: one, a range in braces, or a folder that
// has such files, itself or in its folders for training and validation, and no
// images at any depth.
bool IsShards(const std::string& path);

// Finds the images in tar archives, as WebDataset writes them or as folders of
// images are packed. paths: as IsShards has them.
//
// They are read as the one folder into which they would be unpacked (TarTree),
// by the rules of folder.h: what is for training and what is scored, classes,
// what is passed over, errors. Archives are split as folders are: those called,
// in a word of their name or of a folder below the path that was given, as a
// validation set are validation images (or where there are none of these,
// those called as a test set); the others are for training, but for what they
// hold in folders that are called so. If there is nothing but archives called
// so, they are trained on.
//
// An image's label is the number in the file beside it that is called as it is,
// with ".cls"; all training images have one, or none does. Classes are numbered
// as there and called by their number. Where none has one, labels are class
// folders. Without labels, or without validation images, nothing is scored, and
// a note says so.
//
// The order is that of the names in the archives, byte by byte, whatever
// archive they are in: that of the same files in a folder. Images are called
// by archive and name there, "shard-000.tar/cat/1.jpg", where the archive is
// called by its path below the folder or behind the last "/" before a range,
// or as it is if `paths` are several.
// Memory: see FileSource. Time: every header is read once.
// Errors, all saying what is wrong, where, and what to do: kNotFound if there
// is no archive, or no image; kInvalidArgument for labels that make no sense,
// are missing for some, or that training does not have; `channels` that
// CheckChannels refuses; those of TarTree::Read and ReadFolder.
absl::StatusOr<Images> ReadShards(const std::vector<std::string>& paths,
                                  int channels);

// All images of the archives at `path`, as IsShards has it, without labels.
// Order and names as above.
// Errors: kNotFound if there is no such archive, or no image; those of
// TarTree::Read.
absl::StatusOr<ImageFiles> ReadShardImages(const std::string& path,
                                           int channels);

// The folder that the archives of ReadShardImages(path) are called below; ""
// for the current one.
std::string FolderOfShards(const std::string& path);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_SHARDS_H_

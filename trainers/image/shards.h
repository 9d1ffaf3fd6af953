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

// Finds the images in tar archives, as WebDataset writes them: an image's label
// is the number in the file beside it that is called as it is, with ".cls" (all
// images have one, or none does). paths: as IsShards has them.
//
// Archives are split as folders are: those called, in a word of their name or
// of a folder below the path that was given, as a validation set are validation
// images (or where there are none of these, those called as a test set); the
// others are for training. If there is nothing but these, they are trained on.
// Without labels, or without validation images, nothing is scored, and a note
// says so. Classes are numbered as in the .cls files and called by their
// number.
//
// The order is that of the names in the archives, byte by byte, whatever
// archive they are in: that of the same files in a folder.
// Memory: see TarSource. Time: every header is read once.
// Errors, all saying what is wrong, where, and what to do: kNotFound if there
// is no archive, or no image; kInvalidArgument for labels that make no sense,
// are missing for some, or that training does not have; `channels` other than 1
// or 3; those of ListTar.
absl::StatusOr<Images> ReadShards(const std::vector<std::string>& paths,
                                  int channels);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_SHARDS_H_

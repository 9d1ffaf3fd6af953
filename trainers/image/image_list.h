#ifndef GSG_TRAINERS_IMAGE_IMAGE_LIST_H_
#define GSG_TRAINERS_IMAGE_IMAGE_LIST_H_

#include <string>

#include "absl/status/statusor.h"
#include "trainers/image/images.h"

namespace gsg {

// Reads a list of images, a text file of one of two kinds:
//   a path a line, whatever its characters
//   CSV, if the first line is a header with a column "path". There may be
//   "label" and "split", in any order, and columns that are not looked at.
//   Values may stand in double quotes, where two of these are one.
// Paths are relative to the list's folder, and may lead into tar archives,
// "shards/a.tar/cat/1.jpg". Empty lines are passed over. The
// images are in the order of the lines.
//
// A split is called as folders are (SplitOf): training images are those without
// one, too; "val" ones are scored, or "test" ones where there are none of them.
// It is scored if there are labels and such images; otherwise a note says so.
// Classes are the labels of training, in the order of their numbers if all are
// numbers, else of their bytes.
//
// Errors, which name the line and say what to do: kNotFound if the list or the
// image of its first line does not exist, an archive has not what is named, or
// it names none; those of ListTar; kInvalidArgument
// for a line that makes no sense, an unknown split, a missing label, one that
// training does not have, or `channels` that CheckChannels refuses.
absl::StatusOr<Images> ReadImageList(const std::string& path, int channels);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_IMAGE_LIST_H_

#ifndef GSG_TRAINERS_IMAGE_IMAGES_H_
#define GSG_TRAINERS_IMAGE_IMAGES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trainers/image/file_source.h"
#include "trainers/image/image_source.h"

namespace gsg {

// Images of a data set of the user's own, however they lie.
struct Images {
  std::unique_ptr<ImageSource> train;
  std::unique_ptr<ImageSource> test;  // null without labels
  std::vector<std::string> classes;   // empty without labels
  // What was passed over, and why, a line each: to be shown to the user.
  std::vector<std::string> notes;
};

// Images without labels, by whatever layout.
struct ImageFiles {
  std::unique_ptr<FileSource> source;
  std::vector<std::string> notes;  // as above
};

// The images that --images names: those at any depth below a folder, called by
// their path there; those in tar archives (IsShards), called by the archive's
// and theirs in it, "shard-000.tar/cat/1.jpg", in the order of the latter; or
// one image, a file or one in an archive, "DIR/shard-000.tar/cat/1.jpg".
// Errors: kNotFound if there is nothing, or no image; kInvalidArgument for
// another kind of archive; those of ListTar; the file system's.
absl::StatusOr<ImageFiles> ReadImages(const std::string& path, int channels);

// What --data_dir and --data_list name: a folder or several, with commas
// between them (path_list.h, folder.h), tar archives (shards.h), or a list
// (image_list.h). Several folders are one data set: their classes are those of
// their names. It has labels if each of them has. Images are called by their
// path and come in the order of the folders as given. Errors: kInvalidArgument
// if both are given, folders lie in each other, or folders and archives are
// mixed; those of ReadFolder, ReadShards and ReadImageList.
absl::StatusOr<Images> FindImages(const std::string& data_dir,
                                  const std::string& data_list, int channels);

// Errors: kInvalidArgument if `channels` is not 1 to kMaxChannels.
absl::Status CheckChannels(int channels);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_IMAGES_H_

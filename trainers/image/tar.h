#ifndef GSG_TRAINERS_IMAGE_TAR_H_
#define GSG_TRAINERS_IMAGE_TAR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace gsg {

// A file in a tar archive.
struct TarMember {
  // Its path there as tar unpacks it: without empty parts and ".", and behind
  // the last "..". So "/a/./1.jpg" is "a/1.jpg", and "a/../b" is "b".
  std::string name;
  int64_t begin = 0;   // of its content, in the archive
  int64_t size = 0;    // bytes
  std::string text;    // the content, of those called .cls that have few bytes
  bool plain = false;  // false: a link, a device, a file with holes
};

struct Tar {
  std::vector<TarMember> members;    // all but folders, in the archive's order
  std::vector<std::string> folders;  // that have a header, named as members are
  int64_t file_size = 0;             // of the archive
};

// Reads the headers of a tar archive that is not compressed: ustar, pax (path
// and size), GNU (long names, sizes of 8 GiB and more) and what was before
// them. Contents are not read, but for those of `text`.
// Errors, which name the archive, the byte and what to do: kInvalidArgument for
// one that is compressed; kDataLoss for one that is cut off, corrupt or no tar;
// kCancelled if the program is interrupted; the file system's.
absl::StatusOr<Tar> ListTar(const std::string& path);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_TAR_H_

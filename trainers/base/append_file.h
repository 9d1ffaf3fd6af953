#ifndef GSG_TRAINERS_BASE_APPEND_FILE_H_
#define GSG_TRAINERS_BASE_APPEND_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace gsg {

// A file that grows at its end.
class AppendFile {
 public:
  // Opens `path`, or makes it. Errors: the file system's, with the path.
  static absl::StatusOr<AppendFile> Open(const std::string& path);
  ~AppendFile();

  AppendFile(AppendFile&& other);
  AppendFile& operator=(AppendFile&& other);

  // Cuts the file off after `bytes`.
  absl::Status Shorten(int64_t bytes);

  // On disk when it returns. After an error a part of `bytes` may be there.
  absl::Status Append(absl::string_view bytes);

 private:
  AppendFile(std::string path, int fd);

  std::string path_;
  int fd_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_BASE_APPEND_FILE_H_

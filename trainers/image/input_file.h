#ifndef GSG_TRAINERS_IMAGE_INPUT_FILE_H_
#define GSG_TRAINERS_IMAGE_INPUT_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct gzFile_s;  // zlib's

namespace gsg {

// Sequential reader of a plain or gzip-compressed file, told apart by the
// file's first bytes. Every error names the file.
class InputFile {
 public:
  // Errors: kNotFound, kPermissionDenied, ... as the system reports.
  static absl::StatusOr<InputFile> Open(const std::string& path);

  const std::string& path() const { return path_; }

  // The content has at most this many bytes: the file's size if plain, and
  // 1032 times that, the most deflate can expand, if compressed. Check a size
  // that the content claims against this before allocating it.
  int64_t size_limit() const { return size_limit_; }

  // Reads the next `size` bytes, no fewer. `what` names them in errors.
  // Errors: kDataLoss if the file ends before, or is corrupt.
  absl::Status Read(int64_t size, absl::string_view what, uint8_t* out);

  // Errors: kDataLoss if anything is left, or the checksum is wrong.
  absl::Status ExpectEnd();

 private:
  struct Close {
    void operator()(gzFile_s* file) const;
  };

  InputFile(std::string path, std::unique_ptr<gzFile_s, Close> file)
      : path_(std::move(path)), file_(std::move(file)) {}

  // Up to `size` bytes; fewer only at the end of the file.
  absl::StatusOr<int64_t> ReadSome(int64_t size, uint8_t* out);

  std::string path_;
  std::unique_ptr<gzFile_s, Close> file_;
  int64_t size_limit_ = 0;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_INPUT_FILE_H_

#include "trainers/image/input_file.h"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace gsg {

void InputFile::Close::operator()(gzFile_s* file) const { gzclose(file); }

absl::StatusOr<InputFile> InputFile::Open(const std::string& path) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (error) {
    return absl::ErrnoToStatus(error.value(),
                               absl::StrCat(path, ": cannot be read"));
  }
  std::unique_ptr<gzFile_s, Close> file(gzopen(path.c_str(), "rb"));
  if (file == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot be opened"));
  }
  InputFile input(path, std::move(file));
  const bool plain = gzdirect(input.file_.get()) == 1;
  input.size_limit_ = static_cast<int64_t>(bytes) * (plain ? 1 : 1032);
  return input;
}

absl::StatusOr<int64_t> InputFile::ReadSome(int64_t size, uint8_t* out) {
  constexpr int64_t kMaxCall = int64_t{1} << 30;  // gzread counts in int
  int64_t done = 0;
  while (done < size) {
    const int got =
        gzread(file_.get(), out + done,
               static_cast<unsigned>(std::min(size - done, kMaxCall)));
    if (got > 0) {
      done += got;
      continue;
    }
    int code = Z_OK;
    const char* message = gzerror(file_.get(), &code);
    if (code == Z_OK || code == Z_STREAM_END) break;
    return absl::DataLossError(
        absl::StrCat(path_, ": corrupt or cut off (", message, ")"));
  }
  return done;
}

absl::Status InputFile::Read(int64_t size, absl::string_view what,
                             uint8_t* out) {
  const absl::StatusOr<int64_t> got = ReadSome(size, out);
  if (!got.ok()) return got.status();
  if (*got == size) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(path_, ": ends after ", *got, " of ",
                                          size, " bytes of ", what));
}

absl::Status InputFile::ExpectEnd() {
  uint8_t extra;
  const absl::StatusOr<int64_t> got = ReadSome(1, &extra);
  if (!got.ok()) return got.status();
  if (*got == 0) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(path_, ": goes on after byte ",
                                          gztell(file_.get()) - 1,
                                          ", where it should end"));
}

}  // namespace gsg

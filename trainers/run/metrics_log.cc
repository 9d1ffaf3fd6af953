#include "trainers/run/metrics_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace gsg {

absl::StatusOr<MetricsLog> MetricsLog::Open(const std::string& path,
                                            int64_t keep) {
  int64_t records = 0;
  int64_t bytes = 0;
  std::ifstream file(path, std::ios::binary);
  // At the end of the file getline sets eof for a line without a line feed.
  for (std::string line;
       records < keep && std::getline(file, line) && !file.eof(); ++records) {
    bytes += static_cast<int64_t>(line.size()) + 1;
  }
  if (records < keep) {
    return absl::DataLossError(
        absl::StrCat(path, " has ", records,
                     " records; the checkpoint was saved after ", keep));
  }
  const int fd =
      open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  }
  MetricsLog log(path, fd);
  if (ftruncate(fd, bytes) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot shorten ", path));
  }
  return log;
}

MetricsLog::~MetricsLog() {
  if (fd_ >= 0) close(fd_);
}

MetricsLog::MetricsLog(MetricsLog&& other)
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

MetricsLog& MetricsLog::operator=(MetricsLog&& other) {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}

absl::Status MetricsLog::Append(absl::string_view record) {
  const std::string line = absl::StrCat(record, "\n");
  absl::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path_));
    }
    rest.remove_prefix(written);
  }
  if (fsync(fd_) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path_));
  }
  return absl::OkStatus();
}

}  // namespace gsg

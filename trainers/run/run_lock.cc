#include "trainers/run/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace gsg {
namespace {

// " (process 123)", or "" if the kernel does not say. A line of /proc/locks is
//   1: FLOCK  ADVISORY  WRITE 123 fe:00:4711 0 EOF
std::string Holder(int fd) {
  struct stat folder;
  if (fstat(fd, &folder) != 0) return "";
  const std::string file = absl::StrFormat("%02x:%02x:%d", major(folder.st_dev),
                                           minor(folder.st_dev), folder.st_ino);
  std::ifstream locks("/proc/locks");
  std::string number, type, mode, access, process, where;
  for (std::string rest;
       locks >> number >> type >> mode >> access >> process >> where &&
       std::getline(locks, rest);) {
    if (type == "FLOCK" && where == file && !absl::StartsWith(process, "-")) {
      return absl::StrCat(" (process ", process, ")");
    }
  }
  return "";
}

}  // namespace

RunLock::~RunLock() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<RunLock> RunLock::Take(const std::string& folder) {
  RunLock lock;
  lock.fd_ = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock.fd_ < 0) return lock;
  if (flock(lock.fd_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) {
    return lock;
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "another program", Holder(lock.fd_), " is training in ", folder,
      ": wait until it ends or stop it, or choose another --output_dir"));
}

}  // namespace gsg

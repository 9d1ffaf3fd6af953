// Files in memory, for parsers that take a path.

#ifndef GSG_TESTS_TRAINERS_FUZZ_TEMPORARY_FILE_H_
#define GSG_TESTS_TRAINERS_FUZZ_TEMPORARY_FILE_H_

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"

namespace gsg {

class TemporaryFile {
 public:
  TemporaryFile(const uint8_t* data, size_t size)
      : fd_(memfd_create("fuzz", 0)) {
    if (fd_ < 0 || write(fd_, data, size) != static_cast<ssize_t>(size)) {
      std::abort();
    }
  }
  ~TemporaryFile() { close(fd_); }

  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  std::string path() const { return absl::StrCat("/proc/self/fd/", fd_); }

 private:
  const int fd_;
};

}  // namespace gsg

#endif  // GSG_TESTS_TRAINERS_FUZZ_TEMPORARY_FILE_H_

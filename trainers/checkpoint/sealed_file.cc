#include "trainers/checkpoint/sealed_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "absl/crc/crc32c.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace gsg {
namespace {

// The end-of-central-directory record of a zip without a comment: its
// signature, 16 bytes of counts and offsets, and a comment length of zero.
constexpr absl::string_view kEndSignature("PK\5\6", 4);
constexpr size_t kEndSize = 22;

constexpr absl::string_view kTag = "gsg-crc32c:";
constexpr size_t kCommentSize = kTag.size() + 8;

std::string Comment(absl::string_view zip) {
  const auto crc = static_cast<uint32_t>(absl::ComputeCrc32c(zip));
  return absl::StrCat(kTag, absl::Hex(crc, absl::kZeroPad8));
}

absl::Status SystemError(absl::string_view action, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(action, " ", path));
}

absl::Status WriteAll(int file, absl::string_view bytes,
                      const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("cannot write", path);
    bytes.remove_prefix(written);
  }
  // Without this a crash of the machine can leave a renamed but empty file.
  if (fsync(file) != 0) return SystemError("cannot sync", path);
  return absl::OkStatus();
}

absl::Status WriteNew(const std::string& path, absl::string_view bytes) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                        S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
  if (file < 0) return SystemError("cannot create", path);
  absl::Status status = WriteAll(file, bytes, path);
  if (close(file) != 0 && status.ok()) {
    status = SystemError("cannot close", path);
  }
  if (!status.ok()) unlink(path.c_str());
  return status;
}

absl::Status Rename(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
  const absl::Status status = SystemError("cannot rename to", to);
  unlink(from.c_str());
  return status;
}

}  // namespace

absl::StatusOr<std::string> Seal(absl::string_view zip) {
  if (zip.size() < kEndSize ||
      !absl::StartsWith(zip.substr(zip.size() - kEndSize), kEndSignature) ||
      zip.substr(zip.size() - 2) != absl::string_view("\0\0", 2)) {
    return absl::InvalidArgumentError("not a zip archive without a comment");
  }
  std::string sealed(zip.substr(0, zip.size() - 2));
  sealed.push_back(static_cast<char>(kCommentSize));
  sealed.push_back('\0');
  absl::StrAppend(&sealed, Comment(zip));
  return sealed;
}

absl::StatusOr<std::string> Unseal(absl::string_view sealed,
                                   absl::string_view name) {
  const auto damaged = [&](absl::string_view what) {
    return absl::DataLossError(absl::StrCat(name, " is damaged: ", what));
  };
  if (sealed.size() < kEndSize + kCommentSize) {
    return damaged(absl::StrCat("it has only ", sealed.size(), " bytes"));
  }
  const absl::string_view comment = sealed.substr(sealed.size() - kCommentSize);
  if (!absl::StartsWith(comment, kTag)) {
    return damaged("it does not end in a checksum");
  }
  std::string zip(sealed.substr(0, sealed.size() - kCommentSize - 2));
  zip.append(2, '\0');
  if (comment != Comment(zip)) return damaged("its checksum does not match");
  return zip;
}

absl::Status WriteFileAtomically(const std::string& path,
                                 absl::string_view bytes) {
  const std::string beside = path + ".partial";
  if (absl::Status s = WriteNew(beside, bytes); !s.ok()) return s;
  return Rename(beside, path);
}

absl::Status ReplaceKeepingPrevious(const std::string& path,
                                    const std::string& previous,
                                    absl::string_view bytes) {
  const std::string beside = path + ".partial";
  if (absl::Status s = WriteNew(beside, bytes); !s.ok()) return s;
  // A second name for the old file, then two renames: `path` always exists.
  const std::string link_name = previous + ".partial";
  unlink(link_name.c_str());
  if (link(path.c_str(), link_name.c_str()) == 0) {
    if (absl::Status s = Rename(link_name, previous); !s.ok()) {
      unlink(beside.c_str());
      return s;
    }
  } else if (errno != ENOENT) {
    // No hard links here (some network and FAT file systems).
    if (rename(path.c_str(), previous.c_str()) != 0) {
      const absl::Status s = SystemError("cannot rename to", previous);
      unlink(beside.c_str());
      return s;
    }
  }
  return Rename(beside, path);
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return SystemError("cannot open", path);
  const absl::Cleanup closer = [file] { close(file); };
  std::string bytes;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t count = read(file, buffer, sizeof(buffer));
    if (count == 0) return bytes;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("cannot read", path);
    bytes.append(buffer, count);
  }
}

}  // namespace gsg

#include "trainers/base/sealed_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/crc/crc32c.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gsg_core/status_macros.h"

namespace gsg {
namespace {

// The end-of-central-directory record of a zip without a comment: its
// signature, 16 bytes of counts and offsets, and a comment length of zero.
constexpr absl::string_view kEndSignature("PK\5\6", 4);
constexpr size_t kEndSize = 22;

constexpr absl::string_view kTag = "gsg-crc32c:";
static_assert(kSealSize == kTag.size() + 8);
// What a zip without a comment ends in.
constexpr absl::string_view kNoComment("\0\0", 2);

// Of the zip that `rest` and kNoComment make.
std::string Comment(absl::string_view rest) {
  const auto crc = static_cast<uint32_t>(
      absl::ExtendCrc32c(absl::ComputeCrc32c(rest), kNoComment));
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

absl::Status Seal(std::string& zip) {
  const absl::string_view bytes = zip;
  if (bytes.size() < kEndSize ||
      !absl::StartsWith(bytes.substr(bytes.size() - kEndSize), kEndSignature) ||
      !absl::EndsWith(bytes, kNoComment)) {
    return absl::InvalidArgumentError("not a zip archive without a comment");
  }
  const std::string comment =
      Comment(bytes.substr(0, bytes.size() - kNoComment.size()));
  zip[zip.size() - 2] = static_cast<char>(comment.size());
  zip.append(comment);
  return absl::OkStatus();
}

absl::Status Unseal(std::string& sealed, absl::string_view name) {
  const auto damaged = [&](absl::string_view what) {
    return absl::DataLossError(absl::StrCat(name, " is damaged: ", what));
  };
  if (sealed.size() < kEndSize + kSealSize) {
    return damaged(absl::StrCat("it has only ", sealed.size(), " bytes"));
  }
  const size_t rest = sealed.size() - kSealSize - kNoComment.size();
  const absl::string_view bytes = sealed;
  const absl::string_view comment = bytes.substr(bytes.size() - kSealSize);
  if (!absl::StartsWith(comment, kTag)) {
    return damaged("it does not end in a checksum");
  }
  if (comment != Comment(bytes.substr(0, rest))) {
    return damaged("its checksum does not match");
  }
  sealed.resize(rest);
  sealed.append(kNoComment.data(), kNoComment.size());
  return absl::OkStatus();
}

absl::Status WriteFileAtomically(const std::string& path,
                                 absl::string_view bytes) {
  const std::string beside = path + ".partial";
  GSG_RETURN_IF_ERROR(WriteNew(beside, bytes));
  return Rename(beside, path);
}

absl::Status ReplaceKeepingOlder(const std::string& path,
                                 absl::Span<const std::string> older,
                                 absl::string_view bytes) {
  if (older.empty()) return WriteFileAtomically(path, bytes);
  // The new file first: when the disk is full, nothing has moved.
  const std::string beside = path + ".partial";
  GSG_RETURN_IF_ERROR(WriteNew(beside, bytes));
  absl::Cleanup remove_beside = [&] { unlink(beside.c_str()); };
  for (size_t k = older.size() - 1; k > 0; --k) {
    if (rename(older[k - 1].c_str(), older[k].c_str()) != 0 &&
        errno != ENOENT) {
      return SystemError("cannot rename to", older[k]);
    }
  }
  if (absl::Status s = KeepAs(path, older[0]);
      !s.ok() && !absl::IsNotFound(s)) {
    return s;
  }
  std::move(remove_beside).Cancel();
  return Rename(beside, path);
}

absl::Status KeepAs(const std::string& path, const std::string& copy) {
  // By way of a third name, since link() does not replace.
  const std::string link_name = copy + ".partial";
  unlink(link_name.c_str());
  if (link(path.c_str(), link_name.c_str()) == 0) {
    const absl::Status status = Rename(link_name, copy);
    // Where both are the same file already, rename() leaves both names.
    unlink(link_name.c_str());
    return status;
  }
  if (errno == ENOENT) return SystemError("cannot find", path);
  // No hard links here (some network and FAT file systems).
  GSG_ASSIGN_OR_RETURN(std::string bytes, ReadFile(path));
  return WriteFileAtomically(copy, bytes);
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return SystemError("cannot open", path);
  const absl::Cleanup closer = [file] { close(file); };
  std::string bytes;
  struct stat about;
  if (fstat(file, &about) == 0 && S_ISREG(about.st_mode)) {
    bytes.reserve(about.st_size);
  }
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

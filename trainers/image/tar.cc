#include "trainers/image/tar.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/interrupt.h"

namespace gsg {
namespace {

using absl::string_view;

constexpr int64_t kBlock = 512;
// Longer names and pax headers than this are nobody's.
constexpr int64_t kMaxExtension = 1 << 20;
constexpr int64_t kMaxText = 32;

// An open archive, read through a window: headers and short contents lie close
// to each other.
class Archive {
 public:
  Archive(std::string path, int file, int64_t size)
      : path_(std::move(path)), file_(file), size_(size) {}

  int64_t size() const { return size_; }

  absl::Status Error(int64_t at, string_view what) const {
    return absl::DataLossError(absl::StrCat(
        path_, ": at byte ", at, ": ", what,
        "; it is no tar archive, corrupt or cut off: copy or pack it again"));
  }

  // The bytes at `at`, valid until the next call. size: at most kMaxExtension.
  absl::StatusOr<string_view> Read(int64_t at, int64_t size) {
    if (at > size_ || size > size_ - at) {
      return Error(at, "the archive ends here");
    }
    const auto window_size = static_cast<int64_t>(window_.size());
    if (at < begin_ || at + size > begin_ + window_size) {
      begin_ = at;
      window_.resize(std::min(std::max<int64_t>(size, 8 * kBlock), size_ - at));
      size_t done = 0;
      while (done < window_.size()) {
        const ssize_t got = pread(file_, &window_[done], window_.size() - done,
                                  begin_ + static_cast<int64_t>(done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
          return absl::ErrnoToStatus(errno,
                                     absl::StrCat(path_, ": cannot be read"));
        }
        if (got == 0) return Error(at, "the archive ends here");
        done += got;
      }
    }
    return string_view(window_).substr(at - begin_, size);
  }

 private:
  const std::string path_;
  const int file_;
  const int64_t size_;
  std::string window_;
  int64_t begin_ = 0;
};

// A text that ends with the field or a 0.
string_view Text(string_view field) {
  return field.substr(0, field.find('\0'));
}

// Octal digits, or with the first bit set a big-endian number. -1 if neither.
int64_t Number(string_view field) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(field[i]); };
  if (byte(0) == 0x80) {
    uint64_t value = 0;
    for (size_t i = 1; i < field.size(); ++i) {
      if (value >> 54 != 0) return -1;
      value = value << 8 | byte(i);
    }
    return static_cast<int64_t>(value);
  }
  int64_t value = 0;
  string_view digits = absl::StripLeadingAsciiWhitespace(Text(field));
  digits = absl::StripTrailingAsciiWhitespace(digits);
  for (const char digit : digits) {
    if (digit < '0' || digit > '7') return -1;
    value = value * 8 + (digit - '0');  // at most 12 digits, 36 bits
  }
  return value;
}

// The sum over the header's bytes with its own field as spaces. Some programs
// have added signed bytes.
bool HasChecksum(string_view header) {
  const int64_t expected = Number(header.substr(148, 8));
  int64_t sum = 0, signed_sum = 0;
  for (size_t i = 0; i < header.size(); ++i) {
    const char c = i >= 148 && i < 156 ? ' ' : header[i];
    sum += static_cast<uint8_t>(c);
    signed_sum += static_cast<int8_t>(c);
  }
  return expected == sum || expected == signed_sum;
}

// What extended headers say of the member behind them.
struct Extension {
  std::string name;
  int64_t size = -1;
  bool holes = false;
};

// Records of "length key=value\n". False if one makes no sense.
bool ReadPax(string_view records, Extension* extension) {
  while (!records.empty()) {
    const size_t space = records.find(' ');
    uint64_t length = 0;
    if (space == records.npos ||
        !absl::SimpleAtoi(records.substr(0, space), &length) ||
        length > records.size() || length < space + 2 ||
        records[length - 1] != '\n') {
      return false;
    }
    const string_view record = records.substr(space + 1, length - space - 2);
    records.remove_prefix(length);
    const size_t equals = record.find('=');
    if (equals == record.npos) return false;
    const string_view key = record.substr(0, equals);
    const string_view value = record.substr(equals + 1);
    if (key == "path") {
      extension->name = std::string(value);
    } else if (key == "size") {
      if (!absl::SimpleAtoi(value, &extension->size) || extension->size < 0) {
        return false;
      }
    } else if (absl::StartsWith(key, "GNU.sparse.")) {
      extension->holes = true;
    }
  }
  return true;
}

std::string NameIn(string_view header) {
  const string_view name = Text(header.substr(0, 100));
  const string_view prefix = Text(header.substr(345, 155));
  // GNU keeps times where ustar has a prefix.
  const bool ustar = header.substr(257, 6) == string_view("ustar\0", 6);
  return ustar && !prefix.empty() ? absl::StrCat(prefix, "/", name)
                                  : std::string(name);
}

absl::Status CheckIsTar(const std::string& path, Archive* archive) {
  GSG_ASSIGN_OR_RETURN(const string_view start,
                       archive->Read(0, std::min<int64_t>(archive->size(), 8)));
  struct Known {
    string_view signature, how;
  };
  static constexpr Known kKnown[] = {{"\x1F\x8B", "gunzip"},
                                     {"\x28\xB5\x2F\xFD", "zstd -d --rm"},
                                     {"\xFD"
                                      "7zXZ",
                                      "unxz"},
                                     {"BZh", "bunzip2"}};
  for (const Known& known : kKnown) {
    if (!absl::StartsWith(start, known.signature)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        path,
        " is compressed, so that an image in its middle cannot be read; "
        "images are compressed already, and little is lost by: ",
        known.how, " '", path, "'"));
  }
  return absl::OkStatus();
}

// Where tar puts a file of that name: below the folder that it unpacks into,
// and so without what leads to the root or above.
std::string UnpackedName(string_view name) {
  std::vector<string_view> parts;
  for (const string_view part : absl::StrSplit(name, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      parts.clear();
    } else {
      parts.push_back(part);
    }
  }
  return absl::StrJoin(parts, "/");
}

// Reads the member whose header is at *at, if there is one, and moves behind
// it. Adds the folders before it. False at the end of the archive.
absl::StatusOr<bool> ReadMember(Archive* archive, int64_t* at,
                                TarMember* member,
                                std::vector<std::string>* folders) {
  Extension extension;
  for (;;) {
    const int64_t start = *at;
    if (start == archive->size()) return false;  // its zeros were left out
    GSG_ASSIGN_OR_RETURN(string_view header, archive->Read(start, kBlock));
    if (header.find_first_not_of('\0') == header.npos) return false;
    if (!HasChecksum(header)) {
      return archive->Error(start, "the checksum of a header is wrong");
    }
    const char type = header[156];
    int64_t size = Number(header.substr(124, 12));
    const bool extends =
        type == 'x' || type == 'g' || type == 'L' || type == 'K' || type == 'X';
    if (!extends && extension.size >= 0) size = extension.size;
    member->name = NameIn(header);
    const int64_t begin = start + kBlock;
    // Links and devices have no content, whatever their size says.
    const bool has_content = type < '1' || type > '6';
    if (!has_content) size = 0;
    if (size < 0 || size > archive->size() - begin) {
      return archive->Error(start, "a file that is longer than the archive");
    }
    // What fills the last block up may be missing at the end.
    *at = std::min(begin + (size + kBlock - 1) / kBlock * kBlock,
                   archive->size());
    if (extends) {
      if (size > kMaxExtension) {
        return archive->Error(start, "a name that is absurdly long");
      }
      GSG_ASSIGN_OR_RETURN(const string_view content,
                           archive->Read(begin, size));
      if (type == 'L') {
        extension.name = std::string(Text(content));
      } else if (type == 'x' && !ReadPax(content, &extension)) {
        return archive->Error(start, "an extended header that makes no sense");
      }
      continue;
    }
    if (!extension.name.empty()) member->name = std::move(extension.name);
    // Of what was before ustar, a folder is a file whose name ends so.
    const bool is_folder = type == '5' || absl::EndsWith(member->name, "/");
    member->name = UnpackedName(member->name);
    member->plain =
        (type == '0' || type == '\0' || type == '7') && !extension.holes;
    if (is_folder) {
      if (!member->name.empty()) folders->push_back(std::move(member->name));
      extension = {};
      continue;
    }
    member->begin = begin;
    member->size = size;
    member->text.clear();
    if (member->plain && size <= kMaxText &&
        absl::EndsWith(member->name, ".cls")) {
      GSG_ASSIGN_OR_RETURN(const string_view text, archive->Read(begin, size));
      member->text = std::string(text);
    }
    return true;
  }
}

}  // namespace

absl::StatusOr<Tar> ListTar(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot be opened"));
  }
  const absl::Cleanup close_file = [file] { close(file); };
  struct stat info;
  if (fstat(file, &info) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot be read"));
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is not a regular file"));
  }
  // Headers are far from each other: what lies between is not wanted.
  posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM);
  Archive archive(path, file, info.st_size);
  GSG_RETURN_IF_ERROR(CheckIsTar(path, &archive));
  Tar tar;
  tar.file_size = info.st_size;
  if (tar.file_size == 0) return archive.Error(0, "the file is empty");
  int64_t at = 0;
  for (;;) {
    if (Interrupted() != 0) {
      return absl::CancelledError(
          absl::StrCat("interrupted while ", path, " was read"));
    }
    TarMember member;
    GSG_ASSIGN_OR_RETURN(const bool more,
                         ReadMember(&archive, &at, &member, &tar.folders));
    if (!more) return tar;
    tar.members.push_back(std::move(member));
  }
}

}  // namespace gsg

#include "trainers/image/data_path.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "trainers/image/codec/signature.h"
#include "trainers/image/folder_scan.h"

namespace gsg {
namespace {

// The file's first bytes, as far as formats are told by them.
std::vector<uint8_t> FirstBytes(const std::string& path) {
  std::vector<uint8_t> bytes(512);
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<size_t>(file.gcount()));
  return bytes;
}

// "a zip archive", ...; "a file" if that is all that can be said.
absl::string_view KindOf(absl::Span<const uint8_t> bytes) {
  const ImageFormat format = FormatOf(bytes);
  if (format != ImageFormat::kUnknown) return NameOf(format);
  if (StartsWith(bytes, "BZh")) return "a bzip2 file";
  if (StartsWith(bytes,
                 "\xFD"
                 "7zXZ"))
    return "an xz file";
  const absl::string_view other = OtherFormat(bytes);
  return other.empty() ? "a file" : other;
}

bool IsPacked(absl::string_view kind) {
  return absl::EndsWith(kind, "archive") || kind == "a gzip file" ||
         kind == "a bzip2 file" || kind == "an xz file";
}

}  // namespace

bool IsImageFile(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;
  return IsImageName(path) ||
         FormatOf(FirstBytes(path)) != ImageFormat::kUnknown;
}

std::string HowToUnpack(const std::string& path) {
  const std::string name = absl::AsciiStrToLower(path);
  const absl::string_view folder =
      absl::string_view(path).substr(0, path.rfind('/') + 1);
  const std::string into =
      folder.empty() ? "" : absl::StrCat(" '", folder, "'");
  if (absl::EndsWith(name, ".zip")) {
    return absl::StrCat("unpack it (unzip '", path, "'",
                        into.empty() ? "" : " -d", into, ")");
  }
  if (absl::StrContains(name, ".tar") || absl::EndsWith(name, ".tgz")) {
    return absl::StrCat("unpack it (tar -xf '", path, "'",
                        into.empty() ? "" : " -C", into, ")");
  }
  return "unpack it";
}

absl::Status CheckIsFolder(const std::string& path,
                           absl::string_view expected) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) {
      return absl::ErrnoToStatus(
          errno, absl::StrCat("folder ", path, " cannot be read"));
    }
    struct stat link;
    if (lstat(path.c_str(), &link) == 0) {
      return absl::NotFoundError(absl::StrCat(
          "folder ", path, " is a link that leads nowhere; ", expected));
    }
    return absl::NotFoundError(
        absl::StrCat("folder ", path, " does not exist; ", expected));
  }
  if (S_ISDIR(info.st_mode)) return absl::OkStatus();
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, " is a pipe, socket or device, not a folder; ", expected));
  }
  const std::vector<uint8_t> bytes = FirstBytes(path);
  const absl::string_view kind = KindOf(bytes);
  std::string advice = "give the folder that it lies in";
  if (IsPacked(kind)) {
    advice = absl::StrCat(HowToUnpack(path), " and give the folder");
  }
  return absl::InvalidArgumentError(absl::StrCat(
      path, " is ", kind, ", not a folder: ", advice, "; ", expected));
}

}  // namespace gsg

#include "trainers/weights/zip_directory.h"

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace gsg {
namespace {

constexpr absl::string_view kEnd("PK\5\6", 4);
constexpr absl::string_view kLocator64("PK\6\7", 4);
constexpr absl::string_view kEnd64("PK\6\6", 4);
constexpr absl::string_view kEntry("PK\1\2", 4);
constexpr size_t kEndSize = 22, kLocator64Size = 20, kEnd64Size = 56,
                 kEntrySize = 46;

// Stands for a value that is in the 64-bit extension.
constexpr uint64_t kElsewhere = 0xffffffff;
constexpr uint64_t kExtension64 = 1;

uint64_t Number(absl::string_view bytes, size_t at, size_t size) {
  uint64_t value = 0;
  for (size_t i = size; i-- > 0;) {
    value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  }
  return value;
}

bool Is(absl::string_view bytes, absl::string_view signature) {
  return bytes.substr(0, signature.size()) == signature;
}

absl::Status Broken() {
  return absl::DataLossError(
      "the directory at the end of the archive is not whole: the file may have "
      "been cut off on its way here, so fetch it again");
}

// Takes the sizes that an entry has elsewhere
// from its extension. False if they are not there.
bool ReadExtension(absl::string_view extra, uint64_t* unpacked,
                   uint64_t* packed) {
  while (extra.size() >= 4) {
    const uint64_t id = Number(extra, 0, 2), size = Number(extra, 2, 2);
    extra.remove_prefix(4);
    if (size > extra.size()) return false;
    if (id != kExtension64) {
      extra.remove_prefix(size);
      continue;
    }
    absl::string_view field = extra.substr(0, size);
    for (uint64_t* value : {unpacked, packed}) {
      if (*value != kElsewhere) continue;
      if (field.size() < 8) return false;
      *value = Number(field, 0, 8);
      field.remove_prefix(8);
    }
    return true;
  }
  return false;
}

}  // namespace

absl::Status CheckZipDirectory(absl::string_view zip) {
  if (zip.size() < kEndSize) return Broken();
  const absl::string_view end = zip.substr(zip.size() - kEndSize);
  if (!Is(end, kEnd)) return Broken();
  uint64_t entries = Number(end, 10, 2);
  uint64_t size = Number(end, 12, 4);
  uint64_t begin = Number(end, 16, 4);
  if (zip.size() >= kEndSize + kLocator64Size) {
    const absl::string_view locator =
        zip.substr(zip.size() - kEndSize - kLocator64Size);
    if (Is(locator, kLocator64)) {
      const uint64_t at = Number(locator, 8, 8);
      if (at > zip.size() || zip.size() - at < kEnd64Size) return Broken();
      const absl::string_view end64 = zip.substr(at);
      if (!Is(end64, kEnd64)) return Broken();
      entries = Number(end64, 32, 8);
      size = Number(end64, 40, 8);
      begin = Number(end64, 48, 8);
    }
  }
  if (begin > zip.size() || size > zip.size() - begin) return Broken();

  absl::string_view directory = zip.substr(begin, size);
  for (; entries > 0; --entries) {
    if (directory.size() < kEntrySize || !Is(directory, kEntry)) {
      return Broken();
    }
    const uint64_t method = Number(directory, 10, 2);
    uint64_t packed = Number(directory, 20, 4);
    uint64_t unpacked = Number(directory, 24, 4);
    const uint64_t name = Number(directory, 28, 2);
    const uint64_t extra = Number(directory, 30, 2);
    const uint64_t comment = Number(directory, 32, 2);
    const uint64_t whole = kEntrySize + name + extra + comment;
    if (directory.size() < whole) return Broken();
    if ((unpacked == kElsewhere || packed == kElsewhere) &&
        !ReadExtension(directory.substr(kEntrySize + name, extra), &unpacked,
                       &packed)) {
      return Broken();
    }
    if (method != 0 || packed != unpacked) {
      return absl::DataLossError("an entry of the archive is compressed");
    }
    if (unpacked > zip.size()) {
      return absl::DataLossError(absl::StrCat("an entry claims ", unpacked,
                                              " bytes of an archive of ",
                                              zip.size()));
    }
    directory.remove_prefix(whole);
  }
  return absl::OkStatus();
}

}  // namespace gsg

#include "trainers/image/cifar.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "trainers/image/image_set.h"
#include "trainers/image/input_file.h"

namespace gsg {
namespace {

constexpr int64_t kSide = 32;
constexpr int64_t kPixels = 3 * kSide * kSide;

// Appends one record to *set, whose pixels have room for it.
absl::Status ReadRecord(const std::vector<int>& label_ranges, InputFile* file,
                        ImageSet* set) {
  uint8_t label = 0;
  for (int classes : label_ranges) {
    if (absl::Status s = file->Read(1, "a label", &label); !s.ok()) return s;
    if (label >= classes) {
      return absl::DataLossError(absl::StrCat(file->path(), ": label ", label,
                                              ", expected 0 to ", classes - 1));
    }
  }
  const int64_t i = static_cast<int64_t>(set->labels.size());
  set->labels.push_back(label);
  return file->Read(kPixels, "pixels", set->pixels.data() + i * kPixels);
}

}  // namespace

absl::StatusOr<ImageSet> ReadCifar(const std::vector<std::string>& paths,
                                   const std::vector<int>& label_ranges) {
  const int64_t record = static_cast<int64_t>(label_ranges.size()) + kPixels;
  ImageSet set;
  set.channels = 3;
  set.height = kSide;
  set.width = kSide;
  std::vector<InputFile> files;
  for (const std::string& path : paths) {
    absl::StatusOr<InputFile> file = InputFile::Open(path);
    if (!file.ok()) return file.status();
    const int64_t bytes = file->size_limit();
    if (bytes == 0 || bytes % record != 0) {
      return absl::DataLossError(absl::StrCat(path, ": ", bytes,
                                              " bytes, expected a multiple of ",
                                              record, " (one image)"));
    }
    set.count += bytes / record;
    files.push_back(*std::move(file));
  }
  set.pixels.resize(set.count * kPixels);
  set.labels.reserve(set.count);
  for (InputFile& file : files) {
    for (int64_t i = file.size_limit() / record; i > 0; --i) {
      if (absl::Status s = ReadRecord(label_ranges, &file, &set); !s.ok()) {
        return s;
      }
    }
    if (absl::Status s = file.ExpectEnd(); !s.ok()) return s;
  }
  return set;
}

absl::StatusOr<std::vector<std::string>> ReadClassNames(const std::string& path,
                                                        int count) {
  absl::StatusOr<InputFile> file = InputFile::Open(path);
  if (!file.ok()) return file.status();
  std::string text(file->size_limit(), '\0');
  if (absl::Status s =
          file->Read(static_cast<int64_t>(text.size()), "class names",
                     reinterpret_cast<uint8_t*>(text.data()));
      !s.ok()) {
    return s;
  }
  std::vector<std::string> names;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (!line.empty()) names.emplace_back(line);
  }
  if (names.size() != static_cast<size_t>(count)) {
    return absl::DataLossError(absl::StrCat(path, ": ", names.size(),
                                            " class names, expected ", count));
  }
  return names;
}

}  // namespace gsg

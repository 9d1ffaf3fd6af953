#include "trainers/image/idx.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "trainers/image/image_set.h"
#include "trainers/image/input_file.h"

namespace gsg {
namespace {

constexpr uint32_t kUnsignedBytes = 0x0800;  // + the number of dimensions
constexpr int64_t kMaxSide = 4096;           // pixels; guards the products

absl::StatusOr<uint32_t> ReadBigEndian(InputFile* file) {
  std::array<uint8_t, 4> b;
  if (absl::Status s = file->Read(4, "header", b.data()); !s.ok()) return s;
  return uint32_t{b[0]} << 24 | uint32_t{b[1]} << 16 | uint32_t{b[2]} << 8 |
         uint32_t{b[3]};
}

absl::StatusOr<std::vector<int64_t>> ReadHeader(uint32_t dimensions,
                                                InputFile* file) {
  const absl::StatusOr<uint32_t> magic = ReadBigEndian(file);
  if (!magic.ok()) return magic.status();
  if (*magic != kUnsignedBytes + dimensions) {
    return absl::DataLossError(
        absl::StrCat(file->path(), ": magic number 0x",
                     absl::Hex(*magic, absl::kZeroPad8), ", expected 0x",
                     absl::Hex(kUnsignedBytes + dimensions, absl::kZeroPad8),
                     " (unsigned bytes, dimensions: ", dimensions, ")"));
  }
  std::vector<int64_t> sizes;
  for (uint32_t d = 0; d < dimensions; ++d) {
    const absl::StatusOr<uint32_t> size = ReadBigEndian(file);
    if (!size.ok()) return size.status();
    sizes.push_back(*size);
  }
  int64_t item = 1;  // bytes per image or label
  for (uint32_t d = 1; d < dimensions; ++d) {
    if (sizes[d] < 1 || sizes[d] > kMaxSide) {
      return absl::DataLossError(
          absl::StrCat(file->path(), ": images of ", sizes[1], " x ", sizes[2],
                       " pixels, expected sides of 1 to ", kMaxSide));
    }
    item *= sizes[d];
  }
  const int64_t header = 4 * (1 + int64_t{dimensions});
  if (sizes[0] < 1 || sizes[0] > (file->size_limit() - header) / item) {
    return absl::DataLossError(absl::StrCat(
        file->path(), ": header promises ", absl::StrJoin(sizes, " x "),
        " bytes, the file can hold ", file->size_limit() - header));
  }
  return sizes;
}

}  // namespace

absl::StatusOr<ImageSet> ReadIdx(const std::string& images_path,
                                 const std::string& labels_path, int classes) {
  absl::StatusOr<InputFile> images = InputFile::Open(images_path);
  if (!images.ok()) return images.status();
  const absl::StatusOr<std::vector<int64_t>> sizes = ReadHeader(3, &*images);
  if (!sizes.ok()) return sizes.status();
  ImageSet set;
  set.count = (*sizes)[0];
  set.channels = 1;
  set.height = (*sizes)[1];
  set.width = (*sizes)[2];

  absl::StatusOr<InputFile> labels = InputFile::Open(labels_path);
  if (!labels.ok()) return labels.status();
  const absl::StatusOr<std::vector<int64_t>> count = ReadHeader(1, &*labels);
  if (!count.ok()) return count.status();
  if ((*count)[0] != set.count) {
    return absl::DataLossError(absl::StrCat(labels_path, ": ", (*count)[0],
                                            " labels for the ", set.count,
                                            " images of ", images_path));
  }

  set.pixels.resize(set.count * set.height * set.width);
  std::vector<uint8_t> bytes(set.count);
  for (const absl::Status& s :
       {images->Read(static_cast<int64_t>(set.pixels.size()), "pixels",
                     set.pixels.data()),
        images->ExpectEnd(), labels->Read(set.count, "labels", bytes.data()),
        labels->ExpectEnd()}) {
    if (!s.ok()) return s;
  }
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] >= classes) {
      return absl::DataLossError(absl::StrCat(labels_path, ": label ", bytes[i],
                                              " of image ", i,
                                              ", expected 0 to ", classes - 1));
    }
  }
  set.labels.assign(bytes.begin(), bytes.end());
  return set;
}

}  // namespace gsg

#include "trainers/programs/explore_images.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gsg_core/executor.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/memory.h"
#include "trainers/base/sealed_file.h"
#include "trainers/base/side_by_side.h"
#include "trainers/evaluate/evaluation_images.h"
#include "trainers/explore/answers.h"
#include "trainers/explore/duplicates.h"
#include "trainers/explore/features.h"
#include "trainers/explore/looks.h"
#include "trainers/explore/sheets.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/file_source.h"
#include "trainers/image/folder_scan.h"
#include "trainers/image/image.h"
#include "trainers/image/image_source.h"

namespace gsg {
namespace {

// Between two questions whether to stop.
constexpr int64_t kLooksBlock = 500;

// FNV-1a, 64 bits: the same in every run, as names of files must be.
class Hash {
 public:
  void Add(absl::Span<const uint8_t> bytes) {
    for (const uint8_t byte : bytes) {
      value_ = (value_ ^ byte) * 0x100000001b3u;
    }
  }
  void Add(absl::string_view text) {
    Add(absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(text.data()),
                            text.size()));
    Add(absl::MakeConstSpan(&kEnd, 1));
  }
  uint64_t value() const { return value_; }

 private:
  static constexpr uint8_t kEnd = 0;
  uint64_t value_ = 0xcbf29ce484222325u;
};

struct Pixels {
  bool known = false;
  uint64_t hash = 0;
  ImageSize size;

  bool operator==(const Pixels& other) const {
    return hash == other.hash && size.height == other.size.height &&
           size.width == other.size.width;
  }
};

Pixels PixelsOf(const FileSource& source, int64_t place) {
  Pixels pixels;
  if (place < 0) return pixels;
  const std::unique_ptr<ImageReader> reader = source.MakeReader();
  const absl::StatusOr<ImageSize> size = reader->Open(place);
  if (!size.ok()) return pixels;
  const absl::StatusOr<Image> image = reader->Decode(1);
  if (!image.ok()) return pixels;
  const size_t values =
      size_t{1} * image->channels * image->height * image->width;
  const bool wide = image->chw16 != nullptr;
  Hash hash;
  hash.Add(wide
               ? absl::MakeConstSpan(
                     reinterpret_cast<const uint8_t*>(image->chw16), 2 * values)
               : absl::MakeConstSpan(image->chw, values));
  return {true, hash.value(), *size};
}

// Not known if the image cannot be read.
Looks ReadLooks(int64_t place, ImageReader* reader) {
  const absl::StatusOr<ImageSize> full = reader->Open(place);
  if (!full.ok()) return {};
  // Not smaller than two pixels for each of the small picture's: what is left
  // is averaged exactly.
  int reduction = 1;
  while (reduction < 8 &&
         std::min(full->height, full->width) >= 4 * reduction * kLooksSide) {
    reduction *= 2;
  }
  const absl::StatusOr<Image> image = reader->Decode(reduction);
  if (!image.ok()) return {};
  std::vector<float> planes(size_t{1} * image->channels * kLooksSide *
                            kLooksSide);
  SmallPicture(*image, *full, planes.data());
  return LooksOf(planes);
}

}  // namespace

std::vector<int64_t> PlacesIn(const FileSource& source,
                              absl::Span<const std::string> names) {
  std::unordered_map<std::string, int64_t> places;
  for (int64_t i = 0; i < source.size(); ++i) places[source.name(i)] = i;
  std::vector<int64_t> result;
  for (const std::string& name : names) {
    const auto place = places.find(name);
    result.push_back(place == places.end() ? -1 : place->second);
  }
  return result;
}

absl::StatusOr<std::vector<Looks>> LooksOfImages(
    const FileSource& source, absl::Span<const int64_t> places, int threads,
    Watch watch) {
  std::vector<std::unique_ptr<ImageReader>> readers;
  for (int t = 0; t < std::max(threads, 1); ++t) {
    readers.push_back(source.MakeReader());
  }
  const auto all = static_cast<int64_t>(places.size());
  std::vector<Looks> looks(places.size());
  for (int64_t first = 0; first < all; first += kLooksBlock) {
    if (!watch(first, all)) return absl::CancelledError("interrupted");
    const int64_t end = std::min(first + kLooksBlock, all);
    const auto read = [&](size_t t) {
      for (int64_t i = first + static_cast<int64_t>(t); i < end;
           i += static_cast<int64_t>(readers.size())) {
        if (places[i] >= 0) looks[i] = ReadLooks(places[i], readers[t].get());
      }
      return absl::OkStatus();
    };
    GSG_RETURN_IF_ERROR(SideBySide(readers.size(), read));
  }
  watch(all, all);
  return looks;
}

absl::StatusOr<std::vector<std::vector<Copy>>> CompareCopies(
    const std::vector<DuplicateGroup>& groups, const FileSource& source,
    absl::Span<const int64_t> places, absl::Span<const Looks> looks,
    Executor& executor) {
  std::vector<std::vector<Copy>> copies(groups.size());
  const auto compare = [&](int64_t g) {
    const std::vector<DuplicateGroup::Member>& members = groups[g].members;
    const Pixels first = PixelsOf(source, places[members[0].index]);
    copies[g].push_back(Copy::kFirst);
    for (size_t m = 1; m < members.size(); ++m) {
      const Pixels other = PixelsOf(source, places[members[m].index]);
      copies[g].push_back(!first.known || !other.known ? Copy::kUnknown
                          : first == other             ? Copy::kExact
                          : Compare(looks[members[0].index],
                                    looks[members[m].index]) == Alike::kTurned
                              ? Copy::kTurned
                              : Copy::kNear);
    }
    return absl::OkStatus();
  };
  std::vector<absl::Status> status(groups.size());
  executor.ParallelFor(static_cast<int64_t>(groups.size()), [&](int64_t g) {
    status[g] = OrMemoryError([&] { return compare(g); });
  });
  for (const absl::Status& one : status) GSG_RETURN_IF_ERROR(one);
  return copies;
}

absl::StatusOr<std::vector<std::string>> WriteSheets(
    const FileSource& source, absl::Span<const int64_t> places,
    absl::Span<const int32_t> order, int side, int threads,
    const std::string& output, Watch watch) {
  const std::filesystem::path folder =
      std::filesystem::path(output) / kSheetsFolder;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return absl::InvalidArgumentError(absl::StrCat(
        "cannot make the folder ", folder.string(), ": ", error.message()));
  }
  EvaluationOptions options;
  options.side = side;
  options.threads = threads;
  options.brighten = true;
  DamagedImages damaged(/*max_share=*/1);
  EvaluationImages images(&source, options, &damaged);
  const size_t values = static_cast<size_t>(images.channels()) * side * side;

  std::vector<std::string> paths;
  std::set<std::string> current;
  EvaluationBatch batch;
  for (size_t first = 0; first < order.size(); first += kThumbnailsPerSheet) {
    if (!watch(static_cast<int64_t>(first),
               static_cast<int64_t>(order.size()))) {
      return absl::CancelledError(
          "interrupted; the tables and a part of the thumbnails are written, "
          "and the same command goes on from there");
    }
    const absl::Span<const int32_t> part =
        order.subspan(first, kThumbnailsPerSheet);
    Hash hash;
    hash.Add(absl::StrCat(side, " ", images.channels()));
    std::vector<int64_t> wanted;
    std::unordered_map<int64_t, int> slot;
    for (size_t s = 0; s < part.size(); ++s) {
      const int64_t place = places[part[s]];
      if (place >= 0) {
        hash.Add(source.name(place));
        hash.Add(source.Stamp(place));
        wanted.push_back(place);
        slot[place] = static_cast<int>(s);
      } else {
        hash.Add("");
      }
    }
    // As TableBesideSheet knows it.
    const std::string name = absl::StrFormat("%016x.jpg", hash.value());
    paths.push_back(absl::StrCat(kSheetsFolder, "/", name));
    current.insert(name);
    if (std::filesystem::exists(folder / name, error)) continue;
    Sheet sheet(side);
    for (size_t begin = 0; begin < wanted.size();
         begin += static_cast<size_t>(images.block())) {
      GSG_RETURN_IF_ERROR(images.Read(
          absl::MakeConstSpan(wanted).subspan(begin, images.block()), &batch));
      for (size_t i = 0; i < batch.indices.size(); ++i) {
        sheet.Set(
            slot[batch.indices[i]],
            absl::MakeConstSpan(batch.pixels).subspan(i * values, values));
      }
    }
    GSG_ASSIGN_OR_RETURN(const std::string file, sheet.Encode());
    GSG_RETURN_IF_ERROR(WriteFileAtomically((folder / name).string(), file));
  }
  watch(static_cast<int64_t>(order.size()), static_cast<int64_t>(order.size()));
  // Of earlier pages. Nothing but sheets is removed.
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!TableBesideSheet(entry.path().string()).empty() &&
        current.count(name) == 0) {
      std::filesystem::remove(entry.path(), error);
    }
  }
  return paths;
}

}  // namespace gsg

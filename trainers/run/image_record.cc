#include "trainers/run/image_record.h"

#include <cstdint>
#include <string>

#include "absl/crc/crc32c.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "trainers/image/dataset.h"
#include "trainers/image/image_source.h"

namespace gsg {
namespace {

// With its end, so that "ab", "c" is not "a", "bc".
void Add(const std::string& text, absl::crc32c_t& crc) {
  crc =
      absl::ExtendCrc32c(crc, absl::string_view(text.c_str(), text.size() + 1));
}

void Add(const ImageSource* source, absl::crc32c_t& crc) {
  if (source == nullptr) return;
  for (int64_t i = 0; i < source->size(); ++i) Add(source->name(i), crc);
  const absl::Span<const int32_t> labels = source->labels();
  crc = absl::ExtendCrc32c(
      crc, absl::string_view(reinterpret_cast<const char*>(labels.data()),
                             labels.size() * sizeof(int32_t)));
}

std::string Text(const ImageRecord& images) {
  std::string text =
      absl::StrCat(images.train, " training and ", images.test, " test images");
  if (images.classes > 0) {
    absl::StrAppend(&text, " of ", images.classes, " classes");
  }
  return text;
}

bool SameCounts(const ImageRecord& a, const ImageRecord& b) {
  return a.train == b.train && a.test == b.test && a.classes == b.classes;
}

}  // namespace

ImageRecord RecordOf(const Dataset& dataset) {
  ImageRecord record;
  record.train = dataset.train->size();
  record.test = dataset.test == nullptr ? 0 : dataset.test->size();
  record.classes = static_cast<int64_t>(dataset.classes.size());
  absl::crc32c_t crc(0);
  Add(dataset.train.get(), crc);
  Add(dataset.test.get(), crc);
  for (const std::string& name : dataset.classes) Add(name, crc);
  record.checksum = static_cast<uint32_t>(crc);
  return record;
}

std::string OtherImagesWarning(const ImageRecord& before,
                               const ImageRecord& now) {
  if (before.train == 0 ||
      (SameCounts(before, now) && before.checksum == now.checksum)) {
    return "";
  }
  return absl::StrCat(
      SameCounts(before, now)
          ? absl::StrCat("the run had as many images, but other names or "
                         "labels among them (",
                         Text(now), ")")
          : absl::StrCat("the run had ", Text(before), " and now has ",
                         Text(now)),
      ": it goes on with these. It begins the epoch anew that it was in, and "
      "the scores from before its first step are left out, since they are of "
      "the other images");
}

}  // namespace gsg

#include "trainers/image/damaged_images.h"

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "trainers/image/image_source.h"

namespace gsg {
namespace {

constexpr int64_t kNamed = 3;

}  // namespace

absl::Status DamagedImages::Add(const ImageSource& read_through, int64_t index,
                                const absl::Status& reason) {
  const ImageSource& source = read_through.original();
  OfSource& known = sources_[&source];
  if (!known.indices.insert(index).second) return absl::OkStatus();
  list_.push_back(
      {source.name(index), std::string(reason.message()), &source, index});
  const int64_t count = static_cast<int64_t>(known.indices.size());
  if (count <= kNamed) {
    absl::StrAppend(&known.first_few, count == 1 ? "" : "; ", list_.back().name,
                    ": ", list_.back().reason);
  }
  if (!TooMany(source, count)) return absl::OkStatus();
  if (count >= source.size()) {
    return absl::DataLossError(
        count == 1
            ? absl::StrCat("the only image cannot be read (", known.first_few,
                           ")")
            : absl::StrCat("none of the ", count, " images can be read (",
                           known.first_few, count > kNamed ? "; ...)" : ")"));
  }
  const bool flag = limit_ == Limit::kFlag;
  return absl::DataLossError(absl::StrFormat(
      "%d of %d images are damaged so far, more than %s=%g allows (%s%s). "
      "Repair or remove them%s",
      count, source.size(), flag ? "--max_damaged" : "the run's max_damaged",
      max_share_, known.first_few, count > kNamed ? "; ..." : "",
      flag ? ", or allow a larger share" : ""));
}

}  // namespace gsg

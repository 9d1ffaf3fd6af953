#include "trainers/image/damaged_images.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "trainers/image/image_source.h"

namespace gsg {
namespace {

constexpr int64_t kNamed = 3;

// A share with which a run that has met `count` damaged images can be expected
// to go on: it allows twice as many.
double ShareFor(int64_t count, int64_t size) {
  for (const double share : {0.01, 0.02, 0.05, 0.1, 0.2, 0.5}) {
    if (DamagedImages::Allowed(share, size) >= 2 * count) return share;
  }
  return 1;
}

}  // namespace

int64_t DamagedImages::Allowed(double share, int64_t size) {
  constexpr int64_t kFew = 10;
  if (share <= 0) return 0;
  const int64_t part = static_cast<int64_t>(share * static_cast<double>(size));
  return std::min(std::max(part, std::min(kFew, size / 2)), size - 1);
}

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
  const int64_t allowed = Allowed(max_share_, source.size());
  return absl::DataLossError(absl::StrFormat(
      "%d of %d images are damaged so far; %s=%g allows %s (%s%s). Repair or "
      "remove them%s",
      count, source.size(), flag ? "--max_damaged" : "the run's max_damaged",
      max_share_, allowed == 0 ? "none" : absl::StrCat(allowed),
      known.first_few, count > kNamed ? "; ..." : "",
      flag ? absl::StrFormat(", or pass --max_damaged=%g to go on without them",
                             ShareFor(count, source.size()))
           : ""));
}

}  // namespace gsg

#include "trainers/train/shared_damage.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"
#include "trainers/distributed/world.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/image_source.h"
#include "trainers/run/run_state.h"

namespace gsg {

int64_t SharedDamage::NumberOf(const ImageSource* source) const {
  return std::find(sources_.begin(), sources_.end(), source) - sources_.begin();
}

std::vector<DamageRecord> SharedDamage::Records() const {
  std::vector<DamageRecord> records;
  for (const DamagedImage& image : damaged_.list()) {
    records.push_back({NumberOf(image.source), image.index,
                       absl::CHexEscape(image.name), image.reason});
  }
  return records;
}

absl::Status SharedDamage::Restore(const std::vector<DamageRecord>& records) {
  absl::Status status;
  for (const DamageRecord& record : records) {
    if (record.source < 0 ||
        record.source >= static_cast<int64_t>(sources_.size())) {
      continue;
    }
    const ImageSource* const source = sources_[record.source];
    if (source == nullptr || record.index < 0 ||
        record.index >= source->size() ||
        absl::CHexEscape(source->name(record.index)) != record.name) {
      continue;
    }
    status.Update(damaged_.Add(*source, record.index,
                               absl::DataLossError(record.reason)));
  }
  told_ = damaged_.list().size();
  return status;
}

// A line for each image: number of its source, its own, and the reason.
absl::Status SharedDamage::Exchange(World& world) {
  std::string mine;
  for (; told_ < damaged_.list().size(); ++told_) {
    const DamagedImage& image = damaged_.list()[told_];
    absl::StrAppend(&mine, NumberOf(image.source), " ", image.index, " ",
                    absl::StrReplaceAll(image.reason, {{"\n", " "}}), "\n");
  }
  GSG_ASSIGN_OR_RETURN(const std::vector<std::string> all,
                       world.Exchange(mine));
  absl::Status status;
  for (const std::string& of_rank : all) {
    for (const absl::string_view line :
         absl::StrSplit(of_rank, '\n', absl::SkipEmpty())) {
      const std::vector<absl::string_view> parts =
          absl::StrSplit(line, absl::MaxSplits(' ', 2));
      size_t source;
      int64_t index;
      if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &source) ||
          !absl::SimpleAtoi(parts[1], &index) || source >= sources_.size()) {
        return absl::InternalError(
            absl::StrCat("another rank says of damaged images: ", line));
      }
      status.Update(damaged_.Add(*sources_[source], index,
                                 absl::DataLossError(parts[2])));
    }
  }
  told_ = damaged_.list().size();
  return status;
}

}  // namespace gsg

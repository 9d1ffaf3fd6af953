#include "trainers/console/epoch_table.h"

#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trainers/base/format.h"
#include "trainers/run/epoch_record.h"

namespace gsg {
namespace {

std::string Fixed(double value, int decimals) {
  return std::isnan(value) ? "-" : absl::StrFormat("%.*f", decimals, value);
}

std::string Row(absl::string_view epoch, absl::string_view loss,
                absl::string_view knn, absl::string_view spread,
                absl::string_view rank, absl::string_view pairs,
                absl::string_view rate, absl::string_view time) {
  return absl::StrFormat("%5s %9s %7s %7s %7s %13s %9s %11s", epoch, loss, knn,
                         spread, rank, pairs, rate, time);
}

}  // namespace

std::string EpochHeader() {
  return Row("epoch", "loss", "k-NN %", "std", "rank", "pairs %", "images/s",
             "time");
}

std::string EpochLine(const EpochRecord& record, absl::Duration time) {
  std::string pairs = ChosePairs(record) ? "" : "-";
  if (pairs.empty()) {
    for (const double share : record.pair_share) {
      absl::StrAppend(&pairs, pairs.empty() ? "" : " ",
                      Fixed(100 * share, /*decimals=*/0));
    }
  }
  return Row(absl::StrCat(record.epoch), Fixed(record.loss, 4),
             Fixed(record.knn_top1, 1), Fixed(record.feature_std, 3),
             Fixed(record.effective_rank, 1), pairs,
             GroupedNumber(record.images_per_second), HumanDuration(time));
}

}  // namespace gsg

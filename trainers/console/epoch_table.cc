#include "trainers/console/epoch_table.h"

#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "trainers/console/format.h"

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
  return Row("epoch", "loss", "k-NN %", "spread", "rank", "pairs %", "images/s",
             "time");
}

std::string EpochLine(const EpochSummary& summary) {
  std::string pairs;
  for (double part : summary.pairs) {
    absl::StrAppend(&pairs, pairs.empty() ? "" : " ",
                    Fixed(100 * part, /*decimals=*/0));
  }
  if (std::isnan(summary.pairs[0])) pairs = "-";
  return Row(absl::StrCat(summary.epoch), Fixed(summary.loss, 4),
             Fixed(100 * summary.knn, 1), Fixed(summary.feature_std, 3),
             Fixed(summary.effective_rank, 1), pairs,
             GroupedNumber(summary.images_per_second),
             HumanDuration(summary.time));
}

}  // namespace gsg

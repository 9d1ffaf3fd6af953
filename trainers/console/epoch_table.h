#ifndef GSG_TRAINERS_CONSOLE_EPOCH_TABLE_H_
#define GSG_TRAINERS_CONSOLE_EPOCH_TABLE_H_

#include <array>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/time/time.h"

namespace gsg {

// What a person wants to know of an epoch. NaN = not measured.
struct EpochSummary {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

  int64_t epoch = 0;           // 0 = before training.
  double loss = kNone;         // Mean over the epoch.
  double knn = kNone;          // Top-1 accuracy, 0..1.
  double feature_std = kNone;  // 1 = spread, 0 = collapsed.
  double effective_rank = kNone;
  // How often each pair was chosen, 0..1.
  std::array<double, 4> pairs = {kNone, kNone, kNone, kNone};
  double images_per_second = kNone;
  absl::Duration time;  // Of the training so far.
};

// A table without rules: one header, then a line an epoch, no line feeds.
//   epoch      loss  k-NN %  spread    rank       pairs %  images/s        time
//       3   -0.7312    81.2   0.912    45.3   27 24 25 24     1,234  4 min 12 s
std::string EpochHeader();
std::string EpochLine(const EpochSummary& summary);

}  // namespace gsg

#endif  // GSG_TRAINERS_CONSOLE_EPOCH_TABLE_H_

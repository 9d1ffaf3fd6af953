#ifndef GSG_TRAINERS_CONSOLE_EPOCH_TABLE_H_
#define GSG_TRAINERS_CONSOLE_EPOCH_TABLE_H_

#include <string>

#include "absl/time/time.h"
#include "trainers/run/epoch_record.h"

namespace gsg {

// A table without rules: one header, then a line an epoch, no line feeds.
//   epoch      loss  k-NN %     std    rank       pairs %  images/s        time
//       3   -0.7312    81.2   0.912    45.3   27 24 25 24     1,234  4 min 12 s
// `time` is that of the training so far.
std::string EpochHeader();
std::string EpochLine(const EpochRecord& record, absl::Duration time);

}  // namespace gsg

#endif  // GSG_TRAINERS_CONSOLE_EPOCH_TABLE_H_

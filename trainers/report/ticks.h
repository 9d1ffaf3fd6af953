#ifndef GSG_TRAINERS_REPORT_TICKS_H_
#define GSG_TRAINERS_REPORT_TICKS_H_

#include <vector>

namespace gsg {

struct Ticks {
  std::vector<double> values;  // ascending multiples of one step
  int decimals = 0;            // digits that tell them apart
};

// Multiples of 1, 2 or 5 times a power of ten within [low, high], about
// `count` of them, no closer than `min_step`. Needs low < high and count > 0.
Ticks NiceTicks(double low, double high, int count, double min_step = 0);

}  // namespace gsg

#endif  // GSG_TRAINERS_REPORT_TICKS_H_

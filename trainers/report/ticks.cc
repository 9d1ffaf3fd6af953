#include "trainers/report/ticks.h"

#include <algorithm>
#include <cmath>

namespace gsg {

Ticks NiceTicks(double low, double high, int count, double min_step) {
  const double rough = std::max((high - low) / count, min_step);
  // The slack keeps a step that is exact in decimal from being passed over.
  const double power = std::floor(std::log10(rough) + 1e-9);
  const double unit = std::pow(10, power);
  double step = 10 * unit;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * unit >= rough * (1 - 1e-9)) {
      step = factor * unit;
      break;
    }
  }
  Ticks ticks;
  ticks.decimals =
      std::max(0, -static_cast<int>(std::floor(std::log10(step) + 1e-9)));
  const double slack = 1e-9 * step;
  for (double i = std::ceil((low - slack) / step); i * step <= high + slack;
       ++i) {
    ticks.values.push_back(i * step);
  }
  return ticks;
}

}  // namespace gsg

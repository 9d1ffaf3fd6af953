#include "trainers/optim/schedule.h"

#include <cmath>
#include <cstdint>

namespace gsg {

double LearningRate(const ScheduleOptions& options, int64_t step) {
  if (step < options.warmup_steps) {
    return options.peak_lr * static_cast<double>(step + 1) /
           static_cast<double>(options.warmup_steps);
  }
  const double progress =
      static_cast<double>(step - options.warmup_steps) /
      static_cast<double>(options.total_steps - options.warmup_steps);
  return options.peak_lr * 0.5 * (1 + std::cos(M_PI * progress));
}

}  // namespace gsg

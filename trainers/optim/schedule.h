// The learning rate over a run.

#ifndef GSG_TRAINERS_OPTIM_SCHEDULE_H_
#define GSG_TRAINERS_OPTIM_SCHEDULE_H_

#include <cstdint>

namespace gsg {

struct ScheduleOptions {
  double peak_lr = 0;        // base_lr * images of an update / 256
  int64_t warmup_steps = 0;  // linear, ending at peak_lr
  int64_t total_steps = 0;   // of the whole run, warm-up included
};

// The rate of step `step` (from 0): linear warm-up, then half a cosine to zero
// (Loshchilov and Hutter, arXiv 1608.03983, without restarts), per step rather
// than per epoch. The last step's rate is just above zero.
double LearningRate(const ScheduleOptions& options, int64_t step);

}  // namespace gsg

#endif  // GSG_TRAINERS_OPTIM_SCHEDULE_H_

// Notices a collapse while an epoch is still going on.

#ifndef GSG_TRAINERS_TRAIN_COLLAPSE_WATCH_H_
#define GSG_TRAINERS_TRAIN_COLLAPSE_WATCH_H_

#include <algorithm>
#include <cstdint>
#include <optional>

namespace gsg {

// Means of a meter over windows of at most 100 batches: long enough for a
// batch's noise, and minutes rather than an epoch of ImageNet.
class CollapseWatch {
 public:
  // For an epoch of `batches` >= 1.
  explicit CollapseWatch(int64_t batches)
      : window_(std::min<int64_t>(batches, 100)) {}

  // The mean of a window when `value` completes one.
  std::optional<double> Add(double value) {
    sum_ += value;
    if (++count_ < window_) return std::nullopt;
    const double mean = sum_ / static_cast<double>(window_);
    sum_ = 0;
    count_ = 0;
    return mean;
  }

 private:
  int64_t window_;
  int64_t count_ = 0;
  double sum_ = 0;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_TRAIN_COLLAPSE_WATCH_H_

#ifndef GSG_TRAINERS_EVALUATE_CLASSIFICATION_H_
#define GSG_TRAINERS_EVALUATE_CLASSIFICATION_H_

#include <cstdint>

#include "ATen/core/Tensor.h"

namespace gsg {

// How well a classifier did on labeled rows.
struct Classification {
  double top1 = 0;  // percent (0..100) whose class has the highest score
  double top5 = 0;  // percent whose class is among the five highest
  // [classes, classes] int64 on the CPU: row c, column p counts the rows of
  // class c for which p was predicted.
  at::Tensor confusion;
};

// Adds up a Classification block by block.
class ClassificationTally {
 public:
  explicit ClassificationTally(int64_t classes);

  // scores: [B, classes], finite, of any floating type and device; the highest
  // is the prediction, and a tied score goes to the lowest class.
  // labels: [B] int64 in 0..classes-1, on the same device.
  void Add(const at::Tensor& scores, const at::Tensor& labels);

  // Of at least one row.
  Classification Result() const;

 private:
  int64_t classes_;
  int64_t in_top5_ = 0;
  at::Tensor confusion_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_EVALUATE_CLASSIFICATION_H_

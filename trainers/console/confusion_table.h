#ifndef GSG_TRAINERS_CONSOLE_CONFUSION_TABLE_H_
#define GSG_TRAINERS_CONSOLE_CONFUSION_TABLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace gsg {

// What was taken for what, for a terminal. counts: [classes, classes], row c
// and column p the images of class c for which p was predicted; classes: names,
// at least one.
//
// Up to 20 classes: the whole table, a line a class, and how many percent of it
// were right. More: the 20 most frequent mistakes, the most frequent first. No
// image, no line. Ends in a line feed.
std::string ConfusionTable(absl::Span<const int64_t> counts,
                           const std::vector<std::string>& classes);

}  // namespace gsg

#endif  // GSG_TRAINERS_CONSOLE_CONFUSION_TABLE_H_

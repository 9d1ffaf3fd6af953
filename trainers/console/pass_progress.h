#ifndef GSG_TRAINERS_CONSOLE_PASS_PROGRESS_H_
#define GSG_TRAINERS_CONSOLE_PASS_PROGRESS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trainers/console/progress.h"

namespace gsg {

// One line of fewer than `width` columns:
//   features    [=====>    ]  52 %  1,234 of 2,400  52 s left
// Where that is too long, the bar goes, then the numbers. Width 0 is a line of
// a log: all but the bar.
std::string PassLine(absl::string_view name, int64_t done, int64_t all,
                     absl::Duration left, int width);

// Shows how far a pass over images is: on a terminal in one line that is
// redrawn at most ten times a second, elsewhere in a line a minute. At its end
// it says how long the pass took. One thread at a time.
class PassProgress {
 public:
  PassProgress(Console console, std::string name);
  ~PassProgress();  // Clears the line.

  PassProgress(const PassProgress&) = delete;
  PassProgress& operator=(const PassProgress&) = delete;

  // The first `done` of `all`. What was done at the first call took no time.
  void Update(int64_t done, int64_t all);

  // Says that the pass is over: "features: 12 s".
  void Finish();

  // Erases the line. To be called before others write to the terminal.
  void Clear();

 private:
  const Console console_;
  const std::string name_;
  const absl::Time start_;
  int64_t first_ = -1;
  absl::Time next_draw_ = absl::InfinitePast();
  absl::Time next_line_;  // where there is no terminal
  bool drawn_ = false;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_CONSOLE_PASS_PROGRESS_H_

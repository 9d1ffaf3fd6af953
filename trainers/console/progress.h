#ifndef GSG_TRAINERS_CONSOLE_PROGRESS_H_
#define GSG_TRAINERS_CONSOLE_PROGRESS_H_

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"

namespace gsg {

// Where progress is shown, and by which clock.
struct Console {
  std::ostream* out;           // Outlives its users.
  std::function<int()> width;  // Columns; 0 = not a terminal.
  std::function<absl::Time()> now;
};

// stderr, which is a terminal if isatty says so and $TERM is not "dumb".
Console StderrConsole();

// What a progress line shows.
struct ProgressState {
  int64_t epoch = 1;  // Counted from 1.
  int64_t epochs = 1;
  int64_t step = 0;  // Done in this epoch.
  int64_t steps = 1;
  double loss = 0;
  double images_per_second = 0;
  absl::Duration left;  // Of the whole training.
};

// One line of fewer than `width` columns:
//   epoch 3/10 [=====>    ] 120/234  loss -0.7312  1,234 images/s  52 s left
// Where that is too long, parts go in this order: the bar, the rate, the loss,
// the step. Width 0 is a line of a log: all parts but the bar.
std::string ProgressLine(const ProgressState& state, int width);

// Shows how far training is: on a terminal in one line that is redrawn at most
// ten times a second, elsewhere in a line a minute. One thread at a time.
class Progress {
 public:
  struct Size {
    int64_t epochs;
    int64_t steps;       // An epoch.
    int64_t batch_size;  // Images a step.
  };

  Progress(Console console, Size size);
  ~Progress();  // Clears the line.

  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Says on a terminal that the first step has begun, which may take long.
  void ShowFirstStep();

  // Begins epoch `epoch`, counted from 1, of which `steps_done` are done.
  // Speed is measured from here.
  void StartEpoch(int64_t epoch, int64_t steps_done = 0);

  // `steps_done` of the epoch are done. Calls `loss` only if a line is shown,
  // because on a GPU fetching it costs a synchronization.
  void Update(int64_t steps_done, absl::FunctionRef<double()> loss);

  // How long a step takes, since the epoch began; zero before the first.
  absl::Duration per_step() const { return per_step_; }

  // Erases the line. To be called before others write to the terminal.
  void Clear();

 private:
  const Console console_;
  const Size size_;
  int64_t epoch_ = 1;
  int64_t epoch_start_step_ = 0;
  absl::Time epoch_start_;
  absl::Duration per_step_;
  absl::Time next_draw_ = absl::InfinitePast();
  absl::Time next_line_;  // where there is no terminal
  bool drawn_ = false;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_CONSOLE_PROGRESS_H_

#include "trainers/console/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "trainers/base/format.h"

namespace gsg {
namespace {

constexpr absl::Duration kRedraw = absl::Milliseconds(100);
constexpr absl::Duration kLine = absl::Minutes(1);
constexpr int kMinBar = 10;
constexpr int kMaxBar = 40;
// To the start of the line, and erase to its end.
constexpr absl::string_view kErase = "\r\x1b[K";

int StderrWidth() {
  const char* terminal = std::getenv("TERM");
  if (!isatty(STDERR_FILENO) ||
      (terminal != nullptr && absl::string_view(terminal) == "dumb")) {
    return 0;
  }
  winsize size;
  const bool known =
      ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

// " [====>     ]" with `width` columns between the brackets.
std::string Bar(const ProgressState& state, int width) {
  const int filled = static_cast<int>(width * state.step / state.steps);
  std::string bar = std::string(filled, '=');
  if (filled < width) bar += '>';
  bar.resize(width, ' ');
  return absl::StrCat(" [", bar, "]");
}

}  // namespace

Console StderrConsole() { return {&std::cerr, StderrWidth, absl::Now}; }

std::string ProgressLine(const ProgressState& state, int width) {
  const std::string epoch =
      absl::StrCat("epoch ", state.epoch, "/", state.epochs);
  std::string step = absl::StrFormat(
      " %*d/%d", static_cast<int>(absl::StrCat(state.steps).size()), state.step,
      state.steps);
  std::string loss = absl::StrFormat("  loss %.4f", state.loss);
  std::string rate =
      absl::StrCat("  ", GroupedNumber(state.images_per_second), " images/s");
  const std::string left =
      absl::StrCat("  ", HumanDuration(state.left), " left");

  if (width == 0) return absl::StrCat(epoch, step, loss, rate, left);
  // The last column stays free: a terminal may wrap after writing to it.
  const auto room = [&] {
    return width - 1 -
           static_cast<int>(epoch.size() + step.size() + loss.size() +
                            rate.size() + left.size());
  };
  if (room() < 0) rate.clear();
  if (room() < 0) loss.clear();
  if (room() < 0) step.clear();
  const int bar_width = std::min(room() - 3, kMaxBar);
  const std::string bar = bar_width >= kMinBar ? Bar(state, bar_width) : "";
  return absl::StrCat(epoch, bar, step, loss, rate, left)
      .substr(0, std::max(width - 1, 0));
}

Progress::Progress(Console console, Size size)
    : console_(std::move(console)),
      size_(size),
      next_line_(console_.now() + kLine) {
  StartEpoch(1);
}

Progress::~Progress() { Clear(); }

void Progress::StartEpoch(int64_t epoch, int64_t steps_done) {
  epoch_ = epoch;
  epoch_start_step_ = steps_done;
  epoch_start_ = console_.now();
}

void Progress::ShowFirstStep() {
  next_line_ = console_.now() + kLine;
  if (console_.width() == 0) return;
  *console_.out << "first step ..." << std::flush;
  drawn_ = true;
}

void Progress::Update(int64_t steps_done, absl::FunctionRef<double()> loss) {
  const absl::Time now = console_.now();
  if (steps_done <= epoch_start_step_) return;
  per_step_ = (now - epoch_start_) / (steps_done - epoch_start_step_);
  if (now < next_draw_) return;
  next_draw_ = now + kRedraw;
  const int width = console_.width();
  if (width == 0 && now < next_line_) return;
  next_line_ = now + kLine;

  const int64_t steps_left =
      (size_.epochs - epoch_ + 1) * size_.steps - steps_done;
  ProgressState state;
  state.epoch = epoch_;
  state.epochs = size_.epochs;
  state.step = steps_done;
  state.steps = size_.steps;
  state.loss = loss();
  state.images_per_second =
      static_cast<double>(size_.batch_size) / absl::ToDoubleSeconds(per_step_);
  state.left = per_step_ * steps_left;
  if (width == 0) {
    *console_.out << ProgressLine(state, 0) << std::endl;
    return;
  }
  *console_.out << kErase << ProgressLine(state, width) << std::flush;
  drawn_ = true;
}

void Progress::Clear() {
  if (!drawn_) return;
  *console_.out << kErase << std::flush;
  drawn_ = false;
}

}  // namespace gsg

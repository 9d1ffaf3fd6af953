#include "trainers/console/pass_progress.h"

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trainers/base/format.h"
#include "trainers/console/progress.h"

namespace gsg {
namespace {

constexpr absl::Duration kRedraw = absl::Milliseconds(100);
constexpr absl::Duration kLine = absl::Minutes(1);
constexpr int kMinBar = 10;
constexpr int kMaxBar = 40;
constexpr absl::string_view kErase = "\r\x1b[K";

}  // namespace

std::string PassLine(absl::string_view name, int64_t done, int64_t all,
                     absl::Duration left, int width) {
  const std::string head = absl::StrFormat("%-10s", name);
  const std::string share =
      absl::StrFormat(" %3d %%", all > 0 ? 100 * done / all : 0);
  std::string numbers =
      absl::StrCat("  ", GroupedNumber(static_cast<double>(done)), " of ",
                   GroupedNumber(static_cast<double>(all)));
  const std::string rest = absl::StrCat("  ", HumanDuration(left), " left");
  if (width == 0) return absl::StrCat(head, share, numbers, rest);
  // The last column stays free: a terminal may wrap after writing to it.
  const auto room = [&] {
    return width - 1 -
           static_cast<int>(head.size() + share.size() + numbers.size() +
                            rest.size());
  };
  if (room() < 0) numbers.clear();
  const int bar_width = std::min(room() - 3, kMaxBar);
  std::string bar;
  if (bar_width >= kMinBar && all > 0) {
    const auto filled = static_cast<int>(bar_width * done / all);
    bar = std::string(filled, '=');
    if (filled < bar_width) bar += '>';
    bar.resize(bar_width, ' ');
    bar = absl::StrCat(" [", bar, "]");
  }
  return absl::StrCat(head, bar, share, numbers, rest)
      .substr(0, std::max(width - 1, 0));
}

PassProgress::PassProgress(Console console, std::string name)
    : console_(std::move(console)),
      name_(std::move(name)),
      start_(console_.now()),
      next_line_(start_ + kLine) {}

PassProgress::~PassProgress() { Clear(); }

void PassProgress::Update(int64_t done, int64_t all) {
  if (first_ < 0) first_ = done;
  const absl::Time now = console_.now();
  if (done <= first_ || now < next_draw_) return;
  next_draw_ = now + kRedraw;
  const int width = console_.width();
  if (width == 0 && now < next_line_) return;
  next_line_ = now + kLine;
  const absl::Duration left =
      (now - start_) / (done - first_) * std::max<int64_t>(all - done, 0);
  const std::string line = PassLine(name_, done, all, left, width);
  if (width == 0) {
    *console_.out << line << std::endl;
    return;
  }
  *console_.out << kErase << line << std::flush;
  drawn_ = true;
}

void PassProgress::Finish() {
  Clear();
  *console_.out << name_ << ": " << HumanDuration(console_.now() - start_)
                << std::endl;
}

void PassProgress::Clear() {
  if (!drawn_) return;
  *console_.out << kErase << std::flush;
  drawn_ = false;
}

}  // namespace gsg

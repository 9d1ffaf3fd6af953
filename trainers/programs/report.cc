// Compares runs on one page.

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gsg_core/status_macros.h"
#include "trainers/config/field.h"
#include "trainers/programs/program.h"
#include "trainers/report/comparison.h"
#include "trainers/run/read_run.h"

namespace gsg {
namespace {

constexpr char kIntroduction[] =
    "report compares runs, also unfinished ones, on one HTML page: their "
    "scores, their\ncurves in one chart each, and the settings in which they "
    "differ. Of one run it\nshows the same, also while it is under way. (What "
    "a "
    "finished run learned is in the\nreport.html of its own folder.)\n\n"
    "Examples:\n  report runs/simsiam runs/gsg --output=compare.html\n"
    "  report runs/gsg --output=gsg.html\n";

struct ReportOptions {
  std::vector<std::string> runs;
  std::string output = "compare.html";
};

void ForEachField(ReportOptions& o, FieldVisitor visit) {
  visit(&o.output, Field{"output", "Output", "the page to write"}.Path());
}

absl::Status Validate(const ReportOptions& options) {
  if (options.runs.empty()) {
    return absl::InvalidArgumentError(
        "needs runs, given as their folders: one, or several to compare");
  }
  if (options.runs.size() > kMostComparedRuns) {
    return absl::InvalidArgumentError(
        absl::StrCat("there are ", options.runs.size(), " runs; at most ",
                     kMostComparedRuns, " can be told apart on a page"));
  }
  return absl::OkStatus();
}

absl::Status Report(const ReportOptions& options) {
  std::vector<RunSummary> runs;
  std::set<std::string> names;
  for (const std::string& folder : options.runs) {
    GSG_ASSIGN_OR_RETURN(RunSummary run, ReadRun(folder));
    names.insert(run.name);
    runs.push_back(std::move(run));
  }
  if (names.size() < runs.size()) {
    for (size_t r = 0; r < runs.size(); ++r) runs[r].name = options.runs[r];
  }
  GSG_RETURN_IF_ERROR(WriteComparison(options.output, runs));
  if (runs.size() == 1) {
    absl::PrintF("%s\n", options.output);
  } else {
    absl::PrintF("%d runs compared in %s\n", runs.size(), options.output);
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace gsg

int main(int argc, char** argv) {
  const gsg::Program<gsg::ReportOptions> program = {
      "report", gsg::kIntroduction, gsg::Report, &gsg::ReportOptions::runs,
      "RUN..."};
  return gsg::ProgramMain(program, argc, argv);
}

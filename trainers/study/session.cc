#include "trainers/study/session.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/format.h"
#include "trainers/base/json.h"
#include "trainers/base/sealed_file.h"
#include "trainers/run/read_run.h"
#include "trainers/run/run_directory.h"
#include "trainers/study/jobs.h"
#include "trainers/study/metric.h"
#include "trainers/study/page.h"
#include "trainers/study/plan.h"
#include "trainers/study/study.h"
#include "trainers/study/table.h"

namespace gsg {
namespace {

namespace fs = std::filesystem;
using State = PlannedRun::State;

constexpr size_t kLogLines = 5;  // shown of a run that failed

absl::Status MakeFolder(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) return absl::OkStatus();
  return absl::ErrnoToStatus(error.value(),
                             absl::StrCat("cannot create ", folder));
}

std::string RunName(const Study& study, const PlannedRun& run) {
  return absl::StrCat(study.arms[run.arm].name, " seed ",
                      study.seeds[run.seed]);
}

int64_t Count(const std::vector<PlannedRun>& runs, State state) {
  return std::count_if(runs.begin(), runs.end(), [&](const PlannedRun& run) {
    return run.state == state;
  });
}

// "3 runs", "1 run".
std::string Runs(int64_t count) {
  return absl::StrCat(count, count == 1 ? " run" : " runs");
}

std::string Counts(const Study& study, const std::vector<PlannedRun>& runs) {
  return absl::StrCat(study.arms.size(), " arms with ", study.seeds.size(),
                      " seeds: ", Runs(runs.size()), ", of which ",
                      Count(runs, State::kFinished), " finished, ",
                      Count(runs, State::kStopped), " to go on with, ",
                      Count(runs, State::kNew), " to start");
}

absl::StatusOr<StudyResults> ReadResults(const Study& study,
                                         const std::vector<PlannedRun>& runs) {
  StudyResults results(
      study.arms.size(),
      std::vector<std::optional<RunSummary>>(study.seeds.size()));
  for (const PlannedRun& run : runs) {
    if (run.state != State::kFinished) continue;
    GSG_ASSIGN_OR_RETURN(RunSummary read, ReadRun(run.folder));
    results[run.arm][run.seed] = std::move(read);
  }
  return results;
}

// Appends to the run's list of starts.
absl::Status NoteStart(const PlannedRun& run, const std::string& source) {
  const std::string path = absl::StrCat(run.folder, "/", kStudyStarts);
  std::ofstream file(path, std::ios::app);
  file << JsonText({{"source", source}, {"command", ShellCommand(run.command)}})
       << std::endl;
  if (file) return absl::OkStatus();
  return absl::UnknownError(absl::StrCat("cannot write ", path));
}

// Which versions of this project the finished runs are by: "9112f99 (24 runs)".
std::string Sources(const std::vector<PlannedRun>& runs) {
  std::vector<std::pair<std::string, int64_t>> counts;
  for (const PlannedRun& run : runs) {
    if (run.state != State::kFinished) continue;
    std::vector<std::string> of_run;
    std::ifstream file(absl::StrCat(run.folder, "/", kStudyStarts));
    for (std::string line; std::getline(file, line);) {
      const absl::StatusOr<Json> json = ParseJson(line);
      const std::string source =
          json.ok() && json->is_object() ? json->value("source", "") : "";
      if (!source.empty() && (of_run.empty() || of_run.back() != source)) {
        of_run.push_back(source);
      }
    }
    const std::string sources =
        of_run.empty() ? "unknown" : absl::StrJoin(of_run, " then ");
    const auto found =
        std::find_if(counts.begin(), counts.end(),
                     [&](const auto& item) { return item.first == sources; });
    if (found == counts.end()) {
      counts.emplace_back(sources, 1);
    } else {
      ++found->second;
    }
  }
  return absl::StrJoin(counts, ", ", [](std::string* text, const auto& item) {
    absl::StrAppend(text, item.first, " (", Runs(item.second), ")");
  });
}

// The run's own page, as seen from the study's.
std::string PageAddress(const PlannedRun& run, const std::string& output_dir) {
  std::error_code error;
  const fs::path page = fs::path(run.folder) / kReportFile;
  if (!fs::exists(page, error)) return "";
  return fs::proximate(page, output_dir, error).string();
}

std::string Markdown(const Study& study, const StudyTable& table,
                     const SessionOptions& options,
                     const std::vector<PlannedRun>& runs) {
  const int64_t finished = Count(runs, State::kFinished);
  std::string text = absl::StrCat("# ", study.title, "\n\n");
  if (!study.question.empty()) absl::StrAppend(&text, study.question, "\n\n");
  absl::StrAppend(&text, "Mean ± standard deviation over seeds; ", finished,
                  " of ", Runs(runs.size()), " finished.\n\n",
                  TableMarkdown(study, table), "\n```\n", options.command,
                  "\n```\n");
  if (finished > 0) {
    absl::StrAppend(&text, "\nVersion: ", Sources(runs), "\n");
  }
  return text;
}

// Writes the four files; returns the table.
absl::StatusOr<StudyTable> WriteFiles(const Study& study,
                                      const SessionOptions& options,
                                      const std::vector<PlannedRun>& runs) {
  GSG_ASSIGN_OR_RETURN(const StudyResults results, ReadResults(study, runs));
  StudyTable table = Tabulate(study, results);

  StudyPageData page;
  page.study = &study;
  page.results = &results;
  page.table = &table;
  page.command = options.command;
  page.facts = {
      {"arms", absl::StrCat(study.arms.size())},
      {"seeds", absl::StrJoin(study.seeds, ", ")},
      {"runs", absl::StrCat(Count(runs, State::kFinished), " of ", runs.size(),
                            " finished")},
      {"version", Sources(runs)},
  };
  for (const PlannedRun& run : runs) {
    page.runs.emplace_back(RunName(study, run),
                           PageAddress(run, options.output_dir));
  }
  const std::pair<const char*, std::string> files[] = {
      {"study.md", Markdown(study, table, options, runs)},
      {"study.csv", TableCsv(study, table)},
      {"study.json", TableJson(study, table)},
      {"report.html", RenderStudyPage(page)},
  };
  for (const auto& [name, text] : files) {
    const std::string path = absl::StrCat(options.output_dir, "/", name);
    GSG_RETURN_IF_ERROR(WriteFileAtomically(path, text));
  }
  return table;
}

// The lines at the end of a log that say something.
std::string LogEnd(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return absl::StrCat("  (", text.status().message(), ")\n");
  std::vector<absl::string_view> lines =
      absl::StrSplit(*text, '\n', absl::SkipWhitespace());
  if (lines.size() > kLogLines) {
    lines.erase(lines.begin(), lines.end() - kLogLines);
  }
  std::string end;
  for (const absl::string_view line : lines) {
    absl::StrAppend(&end, "  ", line, "\n");
  }
  return end;
}

// Holds the folder of runs against other studies. The runs inherit the lock,
// so that it outlives a study that was killed until they have ended too.
absl::StatusOr<int> LockRuns(const std::string& runs_dir) {
  const std::string path = absl::StrCat(runs_dir, "/.lock");
  const int lock = open(path.c_str(), O_RDWR | O_CREAT, 0666);
  if (lock < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  }
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    close(lock);
    return absl::UnavailableError(absl::StrCat(
        "another study is at work in ", runs_dir,
        ", or its last runs are being saved; wait for it, or choose another "
        "--runs_dir"));
  }
  return lock;
}

// Says how far a study is and keeps its files up to date.
class Session {
 public:
  Session(const Study& study, const SessionOptions& options,
          std::vector<PlannedRun> runs)
      : study_(study), options_(options), runs_(std::move(runs)) {
    for (size_t r = 0; r < runs_.size(); ++r) {
      if (runs_[r].state != State::kFinished) to_do_.push_back(r);
    }
  }

  absl::Status Run(int* interrupted) {
    absl::PrintF("%s: %s\n%d at once, in %s\n", options_.name,
                 Counts(study_, runs_), options_.jobs, options_.plan.runs_dir);
    std::fflush(stdout);
    GSG_RETURN_IF_ERROR(WriteFiles(study_, options_, runs_).status());
    std::vector<Job> jobs;
    for (const size_t r : to_do_) {
      jobs.push_back(
          {runs_[r].command, absl::StrCat(runs_[r].folder, "/", kStudyLog)});
    }
    JobHooks hooks;
    hooks.on_start = [this](size_t job) { OnStart(runs_[to_do_[job]]); };
    hooks.on_end = [this](size_t job, const JobEnd& end) {
      OnEnd(runs_[to_do_[job]], end);
    };
    *interrupted = RunJobs(jobs, options_.jobs, hooks);
    if (!status_.ok()) return status_;
    GSG_ASSIGN_OR_RETURN(const StudyTable table,
                         WriteFiles(study_, options_, runs_));
    absl::PrintF("\n%s\nIn %s: study.md, study.csv, study.json, report.html\n",
                 TableText(study_, table), options_.output_dir);
    std::fflush(stdout);
    if (failures_.empty()) return absl::OkStatus();
    return absl::AbortedError(absl::StrCat(
        failed_, " of ", Runs(to_do_.size()),
        " failed; the same command tries them again:\n", failures_));
  }

 private:
  void OnStart(const PlannedRun& run) {
    ++running_;
    status_.Update(MakeFolder(run.folder));
    status_.Update(NoteStart(run, options_.source));
  }

  void OnEnd(PlannedRun& run, const JobEnd& end) {
    --running_;
    const std::string result = absl::StrCat(run.folder, "/", kResultFile);
    std::error_code error;
    std::string outcome;
    if (end.exit_code == 0 && fs::exists(result, error)) {
      run.state = State::kFinished;
      ++ended_;
      spent_ += end.time;
      outcome = Outcome(run);
      // Readable midway; and what is wrong with them is told at the end.
      status_.Update(WriteFiles(study_, options_, runs_).status());
    } else if (end.told_to_stop) {
      outcome = "stopped";
    } else {
      ++failed_;
      const std::string log = absl::StrCat(run.folder, "/", kStudyLog);
      outcome =
          absl::StrCat("failed (exit code ", end.exit_code, "); see ", log);
      absl::StrAppend(&failures_, RunName(study_, run), ": exit code ",
                      end.exit_code, ", ", log, " ends in\n", LogEnd(log));
    }
    const int64_t finished = Count(runs_, State::kFinished);
    const int64_t left =
        static_cast<int64_t>(runs_.size()) - finished - failed_ - running_;
    absl::PrintF("[%d/%d] %s: %s (%s); %d running, %d left, %s to go\n",
                 finished, runs_.size(), RunName(study_, run), outcome,
                 HumanDuration(end.time), running_, left, ToGo(left));
    std::fflush(stdout);
  }

  // The first metrics of a run that has just finished.
  std::string Outcome(const PlannedRun& run) const {
    const absl::StatusOr<RunSummary> read = ReadRun(run.folder);
    if (!read.ok()) return std::string(read.status().message());
    std::vector<std::string> parts;
    for (const Metric* metric : study_.metrics) {
      parts.push_back(absl::StrFormat("%s %.*f", metric->heading,
                                      metric->decimals, metric->of(*read)));
    }
    return absl::StrJoin(parts, ", ");
  }

  // Of those that run, half is over on average.
  std::string ToGo(int64_t left) const {
    if (left + running_ == 0) return HumanDuration(absl::ZeroDuration());
    if (ended_ == 0) return HumanDuration(absl::InfiniteDuration());
    const double turns =
        (static_cast<double>(left) + 0.5 * static_cast<double>(running_)) /
        static_cast<double>(options_.jobs);
    return HumanDuration(spent_ / ended_ * std::max(turns, 0.5));
  }

  const Study& study_;
  const SessionOptions& options_;
  std::vector<PlannedRun> runs_;
  std::vector<size_t> to_do_;  // indices into runs_
  int64_t running_ = 0;
  int64_t ended_ = 0;  // and finished
  int64_t failed_ = 0;
  absl::Duration spent_;  // by those that ended
  std::string failures_;
  absl::Status status_;  // the first thing that went wrong around the runs
};

}  // namespace

std::string DescribePlan(const Study& study,
                         const std::vector<PlannedRun>& runs) {
  std::string text =
      absl::StrCat("# ", study.title, "\n# ", Counts(study, runs), "\n");
  int64_t epochs = 0;
  for (const PlannedRun& run : runs) {
    if (run.state == State::kFinished) continue;
    epochs += study.arms[run.arm].config.epochs;
  }
  absl::StrAppend(&text, "# ", epochs, " epochs of training in all\n#\n");
  for (size_t arm = 0; arm < study.arms.size(); ++arm) {
    absl::StrAppend(&text, "# ", study.arms[arm].name,
                    arm == study.baseline ? " (baseline)" : "", ":");
    for (const auto& [field, value] : study.arms[arm].differences) {
      absl::StrAppend(&text, " ", field, "=", value);
    }
    text += "\n";
  }
  for (const PlannedRun& run : runs) {
    absl::StrAppend(&text, "\n# ", RunName(study, run), ": ");
    switch (run.state) {
      case State::kFinished:
        absl::StrAppend(&text, "finished, in ", run.folder, "\n");
        break;
      case State::kStopped:
        absl::StrAppend(&text, "to go on with\n", ShellCommand(run.command),
                        "\n");
        break;
      case State::kNew:
        absl::StrAppend(&text, "to start\n", ShellCommand(run.command), "\n");
        break;
    }
  }
  return text;
}

absl::Status RunStudy(const Study& study, const SessionOptions& options,
                      int* interrupted) {
  *interrupted = 0;
  absl::Status made = MakeFolder(options.output_dir);
  made.Update(MakeFolder(options.plan.runs_dir));
  if (!made.ok()) return made;
  GSG_ASSIGN_OR_RETURN(const int lock, LockRuns(options.plan.runs_dir));
  const auto unlock = absl::MakeCleanup([&] { close(lock); });
  GSG_ASSIGN_OR_RETURN(std::vector<PlannedRun> runs,
                       PlanRuns(study, options.plan));
  return Session(study, options, std::move(runs)).Run(interrupted);
}

absl::Status ReportStudy(const Study& study, const SessionOptions& options) {
  GSG_ASSIGN_OR_RETURN(const std::vector<PlannedRun> runs,
                       PlanRuns(study, options.plan));
  GSG_RETURN_IF_ERROR(MakeFolder(options.output_dir));
  GSG_ASSIGN_OR_RETURN(const StudyTable table,
                       WriteFiles(study, options, runs));
  absl::PrintF(
      "%s: %s\n\n%s\nIn %s: study.md, study.csv, study.json, "
      "report.html\n",
      options.name, Counts(study, runs), TableText(study, table),
      options.output_dir);
  return absl::OkStatus();
}

}  // namespace gsg

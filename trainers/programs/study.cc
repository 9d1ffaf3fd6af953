// Runs a study: many trainings, one table.

#include "trainers/study/study.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/cpus.h"
#include "trainers/base/did_you_mean.h"
#include "trainers/base/program_command.h"
#include "trainers/base/runfiles.h"
#include "trainers/base/sealed_file.h"
#include "trainers/config/field.h"
#include "trainers/config/paths.h"
#include "trainers/programs/program.h"
#include "trainers/study/plan.h"
#include "trainers/study/session.h"

namespace gsg {
namespace {

constexpr char kIntroduction[] =
    "study trains every arm of a study with every seed, several runs at once, "
    "and writes\nwhat came out: a table of means and differences with their "
    "confidence intervals,\nand a page of curves. Stopped, it goes on where it "
    "was; runs that are finished are\nnot run again, also if another study "
    "made them. docs/studies.md says how to write one.\n\n"
    "Example:\n  study --study=distance --output_dir=studies\n";

// In the runfiles.
constexpr char kStudies[] = "gsg/trainers/study/studies/";
constexpr char kFirstStudy[] = "distance.json";
constexpr char kTrainers[] = "gsg/trainers/";

struct StudyOptions {
  std::string study;
  bool list_studies = false;
  bool print = false;
  bool report_only = false;
  std::string seeds;
  std::string recipe;
  std::string set;
  std::string output_dir = "gsg_studies";
  std::string runs_dir;
  int64_t jobs = 0;
  int64_t threads = 1;
  std::string trainer_dir;
};

void ForEachField(StudyOptions& o, FieldVisitor visit) {
  constexpr absl::string_view kStudy = "Study";
  visit(&o.study,
        Field{"study", kStudy,
              "name of a study that comes with the program, or a file "
              "that ends in .json"});
  visit(&o.list_studies,
        Field{"list_studies", kStudy, "what studies come with the program"});
  visit(&o.print, Field{"print", kStudy,
                        "print the runs, each as the command that it is, and "
                        "run none"});
  visit(&o.report_only,
        Field{"report_only", kStudy,
              "write the table from the runs that are finished, and run none"});
  visit(&o.seeds, Field{"seeds", kStudy,
                        "seeds of each arm, as 0,1,2; empty = the study's"});
  visit(&o.recipe,
        Field{"recipe", kStudy, "recipe of all arms; empty = the study's"});
  visit(&o.set, Field{"set", kStudy,
                      "values for all arms on top of the study's base, as "
                      "epochs=20,batch_size=256"});

  constexpr absl::string_view kOutput = "Output";
  visit(&o.output_dir,
        Field{"output_dir", kOutput,
              "the table and the page go into a folder in it that is called "
              "as the study"}
            .Path());
  visit(&o.runs_dir, Field{"runs_dir", kOutput,
                           "folder of the runs, which studies share; empty = "
                           "<output_dir>/runs"}
                         .Path());

  constexpr absl::string_view kRuns = "Runs";
  visit(&o.jobs,
        Field{"jobs", kRuns,
              "runs at once; 0 = as many as there are cores for --threads"}
            .Between(0, 1024));
  visit(&o.threads,
        Field{"threads", kRuns, "CPU threads of each run"}.Between(1, 1024));
  visit(&o.trainer_dir,
        Field{"trainer_dir", kRuns,
              "folder of the training programs; empty = those that were built "
              "with this one"}
            .Path());
}

bool IsFile(const std::string& study) { return absl::EndsWith(study, ".json"); }

absl::Status Validate(const StudyOptions& options) {
  if (options.list_studies) return absl::OkStatus();
  if (options.study.empty()) {
    return absl::InvalidArgumentError(
        "which study? pass --study=<name or file.json>; --list_studies has "
        "the names");
  }
  if (options.print && options.report_only) {
    return absl::InvalidArgumentError(
        "--print and --report_only: give one of them");
  }
  if (options.output_dir.empty()) {
    return absl::InvalidArgumentError("--output_dir: must not be empty");
  }
  if (!options.seeds.empty()) {
    if (absl::Status s = ParseSeeds(options.seeds).status(); !s.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("--seeds: ", s.message()));
    }
  }
  if (absl::Status s = ParseFieldValues(options.set).status(); !s.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--set: ", s.message()));
  }
  return absl::OkStatus();
}

// The studies that come with the program, by name. Empty without runfiles.
std::vector<std::string> ReadyStudies() {
  std::vector<std::string> names;
  const std::string one = FindRunfile(absl::StrCat(kStudies, kFirstStudy));
  if (one.empty()) return names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(
           std::filesystem::path(one).parent_path(), error)) {
    if (entry.path().extension() == ".json") {
      names.push_back(entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

// What the study is called: by its own name, or by its file's.
std::string StudyName(const std::string& study) {
  return std::filesystem::path(study).stem().string();
}

absl::StatusOr<std::string> StudyPath(const std::string& study) {
  if (IsFile(study)) return UserPath(study);
  const std::vector<std::string> ready = ReadyStudies();
  if (std::find(ready.begin(), ready.end(), study) == ready.end()) {
    const std::vector<absl::string_view> names(ready.begin(), ready.end());
    return absl::NotFoundError(absl::StrCat(
        "--study=", study, ": unknown study; ", DidYouMean(study, names),
        "there are ", absl::StrJoin(names, ", "),
        ", or give a file that ends in .json"));
  }
  return FindRunfile(absl::StrCat(kStudies, study, ".json"));
}

absl::StatusOr<Study> ReadStudy(const std::string& name,
                                const StudyOverrides& overrides) {
  GSG_ASSIGN_OR_RETURN(const std::string path, StudyPath(name));
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) {
    return absl::Status(
        text.status().code(),
        absl::StrCat("--study=", name, ": ", text.status().message()));
  }
  absl::StatusOr<Study> study = ParseStudy(*text, overrides);
  if (!study.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", study.status().message()));
  }
  return study;
}

absl::Status ListStudies() {
  const std::vector<std::string> ready = ReadyStudies();
  if (ready.empty()) {
    return absl::NotFoundError(
        "the studies that come with the program lie beside it where Bazel runs "
        "it; elsewhere give one's file, --study=<file.json>");
  }
  for (const std::string& name : ready) {
    GSG_ASSIGN_OR_RETURN(const Study study, ReadStudy(name, {}));
    absl::PrintF("%s\n    %s: %d arms, %d runs\n    %s\n", name, study.title,
                 study.arms.size(), study.arms.size() * study.seeds.size(),
                 study.question);
  }
  return absl::OkStatus();
}

// The version of the source that `bazel run` built this program from.
std::string Source() {
  if (std::getenv("BUILD_WORKSPACE_DIRECTORY") == nullptr) return "";
  std::FILE* pipe = popen(
      "git -C \"$BUILD_WORKSPACE_DIRECTORY\" describe --always --dirty "
      "--abbrev=10 2>/dev/null",
      "r");
  if (pipe == nullptr) return "";
  char line[128] = "";
  if (std::fgets(line, sizeof line, pipe) == nullptr) line[0] = '\0';
  pclose(pipe);
  return std::string(absl::StripAsciiWhitespace(line));
}

// What to type for the same study.
std::string RepeatCommand(const StudyOptions& options) {
  std::vector<std::string> command = {absl::StrCat("--study=", options.study)};
  const std::pair<const char*, const std::string*> flags[] = {
      {"seeds", &options.seeds},
      {"recipe", &options.recipe},
      {"set", &options.set},
  };
  for (const auto& [flag, value] : flags) {
    if (!value->empty()) {
      command.push_back(absl::StrCat("--", flag, "=", *value));
    }
  }
  return absl::StrCat(ProgramCommand("study"), " ", ShellCommand(command));
}

// Set by a signal that ended the study early.
int interrupted = 0;

absl::Status RunProgram(const StudyOptions& options) {
  if (options.list_studies) return ListStudies();
  StudyOverrides overrides;
  overrides.recipe = options.recipe;
  // Validate has seen that these can be read.
  overrides.values = *ParseFieldValues(options.set);
  if (!options.seeds.empty()) overrides.seeds = *ParseSeeds(options.seeds);
  GSG_ASSIGN_OR_RETURN(const Study study, ReadStudy(options.study, overrides));

  SessionOptions session;
  session.name = StudyName(options.study);
  session.output_dir = absl::StrCat(options.output_dir, "/", session.name);
  session.plan.runs_dir = options.runs_dir.empty()
                              ? absl::StrCat(options.output_dir, "/runs")
                              : options.runs_dir;
  session.plan.threads = options.threads;
  session.plan.trainer = [&](absl::string_view method) {
    return options.trainer_dir.empty()
               ? FindRunfile(absl::StrCat(kTrainers, method))
               : absl::StrCat(options.trainer_dir, "/", method);
  };
  for (const Arm& arm : study.arms) {
    const std::string path = session.plan.trainer(arm.config.method);
    std::error_code error;
    if (std::filesystem::exists(path, error)) continue;
    return absl::NotFoundError(absl::StrCat(
        "there is no training program ", arm.config.method,
        options.trainer_dir.empty()
            ? " beside this one (was it copied out of bazel-bin?); pass "
              "--trainer_dir"
            : absl::StrCat(" in --trainer_dir=", options.trainer_dir)));
  }
  session.jobs = options.jobs > 0
                     ? options.jobs
                     : std::max<int64_t>(UsableCpus() / options.threads, 1);
  session.command = RepeatCommand(options);
  session.source = Source();

  if (options.print) {
    GSG_ASSIGN_OR_RETURN(const std::vector<PlannedRun> runs,
                         PlanRuns(study, session.plan));
    Print(DescribePlan(study, runs));
    return absl::OkStatus();
  }
  if (options.report_only) return ReportStudy(study, session);
  absl::Status status = RunStudy(study, session, &interrupted);
  if (interrupted != 0 && status.ok()) {
    status = absl::CancelledError(
        "stopped; everything is saved. The same command goes on.");
  }
  return status;
}

}  // namespace
}  // namespace gsg

int main(int argc, char** argv) {
  const gsg::Program<gsg::StudyOptions> program = {"study", gsg::kIntroduction,
                                                   gsg::RunProgram};
  const int code = gsg::ProgramMain(program, argc, argv);
  return gsg::interrupted == 0 ? code : 128 + gsg::interrupted;
}

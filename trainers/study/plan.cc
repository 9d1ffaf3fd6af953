#include "trainers/study/plan.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/sealed_file.h"
#include "trainers/config/config.h"
#include "trainers/config/resume.h"
#include "trainers/run/run_directory.h"
#include "trainers/study/run_key.h"
#include "trainers/study/study.h"

namespace gsg {
namespace {

namespace fs = std::filesystem;

// The arm's name as part of a folder's.
std::string FileName(absl::string_view arm) {
  std::string name;
  for (const char c : arm) {
    const bool plain = absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                       c == '-' || c == '.';
    if (plain) {
      name += c;
    } else if (!name.empty() && name.back() != '_') {
      name += '_';
    }
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  // A leading point would hide the folder.
  return absl::StrCat(absl::StartsWith(name, ".") ? "_" : "", name);
}

std::string RunFolder(const std::string& runs_dir, const Arm& arm,
                      int64_t seed) {
  const std::string suffix =
      absl::StrCat("-", RunKey(arm.config), "-seed", seed);
  std::error_code error;
  for (fs::directory_iterator entry(runs_dir, error), end;
       !error && entry != end; entry.increment(error)) {
    if (absl::EndsWith(entry->path().filename().string(), suffix)) {
      return entry->path().string();
    }
  }
  return absl::StrCat(runs_dir, "/", FileName(arm.name), suffix);
}

// How far the run of `config` in `folder` is.
absl::StatusOr<PlannedRun::State> FindState(const std::string& folder,
                                            const Config& config) {
  const absl::StatusOr<std::string> text =
      ReadFile(absl::StrCat(folder, "/", kConfigFile));
  if (absl::IsNotFound(text.status())) return PlannedRun::State::kNew;
  if (!text.ok()) return text.status();
  const auto move_it = [&](absl::string_view what) {
    return absl::FailedPreconditionError(
        absl::StrCat(folder, " has a run whose ", kConfigFile, " ", what,
                     "; move it away, or choose another --runs_dir"));
  };
  const absl::StatusOr<Config> there = ReadRunConfig(*text);
  if (!there.ok()) {
    return move_it(absl::StrCat("cannot be used: ", there.status().message()));
  }
  Config wanted = config;
  // A run notes what its --init was; unless the study says, any will do.
  if (wanted.init_sha256.empty()) wanted.init_sha256 = there->init_sha256;
  const std::vector<std::string> differences =
      DecidingDifferences(*there, wanted);
  if (!differences.empty()) {
    return move_it(
        absl::StrCat("has another ", absl::StrJoin(differences, ", ")));
  }
  std::error_code error;
  return fs::exists(absl::StrCat(folder, "/", kResultFile), error)
             ? PlannedRun::State::kFinished
             : PlannedRun::State::kStopped;
}

std::vector<std::string> Command(const PlannedRun& run, const Study& study,
                                 const PlanOptions& options) {
  const Arm& arm = study.arms[run.arm];
  std::vector<std::string> command = {options.trainer(arm.config.method)};
  if (run.state == PlannedRun::State::kStopped) {
    command.push_back("--resume");
  } else {
    for (const auto& [field, text] : arm.flags) {
      command.push_back(absl::StrCat("--", field, "=", text));
    }
    command.push_back(absl::StrCat("--seed=", study.seeds[run.seed]));
  }
  command.push_back(absl::StrCat("--threads=", options.threads));
  command.push_back(absl::StrCat("--output_dir=", run.folder));
  return command;
}

}  // namespace

absl::StatusOr<std::vector<PlannedRun>> PlanRuns(const Study& study,
                                                 const PlanOptions& options) {
  std::vector<PlannedRun> runs;
  for (size_t seed = 0; seed < study.seeds.size(); ++seed) {
    for (size_t arm = 0; arm < study.arms.size(); ++arm) {
      PlannedRun run;
      run.arm = arm;
      run.seed = seed;
      Config config = study.arms[arm].config;
      config.seed = study.seeds[seed];
      run.folder =
          RunFolder(options.runs_dir, study.arms[arm], study.seeds[seed]);
      GSG_ASSIGN_OR_RETURN(PlannedRun::State state,
                           FindState(run.folder, config));
      run.state = state;
      if (run.state != PlannedRun::State::kFinished) {
        run.command = Command(run, study, options);
      }
      runs.push_back(std::move(run));
    }
  }
  return runs;
}

std::string ShellCommand(const std::vector<std::string>& command) {
  const auto quoted = [](std::string* text, const std::string& word) {
    bool plain = !word.empty();
    for (const char c : word) {
      plain &= absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
               absl::StrContains("_-+=.,:/@%", c);
    }
    absl::StrAppend(
        text, plain
                  ? word
                  : absl::StrCat(
                        "'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'"));
  };
  return absl::StrJoin(command, " ", quoted);
}

}  // namespace gsg

#include "trainers/trainer_main.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "trainers/base/interrupt.h"
#include "trainers/base/memory.h"
#include "trainers/config/command_line.h"
#include "trainers/config/config.h"
#include "trainers/config/paths.h"
#include "trainers/distributed/environment.h"
#include "trainers/distributed/launcher.h"
#include "trainers/distributed/world.h"
#include "trainers/training_run.h"

namespace gsg {
namespace {

// Its data comes with the program.
constexpr char kDefaultRecipe[] = "fashion_mnist";

std::string WayOn(const std::string& output_dir, const std::string& more) {
  return absl::StrCat(
      "To continue from the last checkpoint, start the same program with "
      "--resume --output_dir=",
      output_dir, more);
}

// Runs and says how it ended. Returns the exit code.
int Report(absl::string_view method, World& world,
           const CommandLine& command_line) {
  std::optional<Config> config;
  const absl::Status status =
      OrMemoryError([&] { return RunTraining(command_line, world, &config); });
  if (MemoryRanOut(status) && config.has_value() && world.size() == 1) {
    absl::FPrintF(stderr,
                  "%s: %s: use a --batch_size below %d, a smaller --crop_size, "
                  "or fewer --loader_threads\n",
                  method, status.message(), config->batch_size);
    return 1;
  }
  if (status.ok()) return 0;
  if (absl::IsCancelled(status)) {
    if (world.root()) absl::FPrintF(stderr, "%s\n", status.message());
    return 128 + Interrupted();
  }
  if (world.size() > 1 && absl::IsAborted(status)) return kOtherRankExitCode;
  if (world.size() > 1 && absl::IsUnavailable(status)) {
    if (world.SpeaksOfLoss()) {
      absl::FPrintF(stderr, "%s: %s. %s\n", method, status.message(),
                    WayOn(config.has_value() ? config->output_dir : "",
                          ", in all processes"));
    }
    return kOtherRankExitCode;
  }
  absl::FPrintF(stderr, "%s: %s\n", method, status.message());
  return 1;
}

}  // namespace

int TrainerMain(absl::string_view method, int argc, const char* const* argv) {
  absl::StatusOr<CommandLine> command_line =
      ParseCommandLine(method, kDefaultRecipe, argc, argv);
  if (!command_line.ok()) {
    absl::FPrintF(stderr, "%s: %s\n", method, command_line.status().message());
    return 2;
  }
  if (!command_line->print.empty()) {
    absl::PrintF("%s", command_line->print);
    return 0;
  }
  const absl::StatusOr<Placement> placement =
      ReadPlacement([](const char* name) { return std::getenv(name); });
  if (!placement.ok()) {
    absl::FPrintF(stderr, "%s: %s\n", method, placement.status().message());
    return 2;
  }
  Config& config = command_line->config;
  if (placement->launcher == 0 && config.nproc > 1) {
    if (placement->size > 1) {
      absl::FPrintF(stderr,
                    "%s: --nproc=%d: this is already one of %d processes, as "
                    "the environment has it (docs/distributed.md); leave "
                    "--nproc out\n",
                    method, config.nproc, placement->size);
      return 2;
    }
    std::vector<std::string> arguments(argv, argv + argc);
    if (config.output_dir.empty()) {
      // Here, to be able to say where it is.
      config.output_dir =
          DefaultOutputDir(config, absl::Now(), absl::LocalTimeZone());
      arguments.push_back(absl::StrCat("--output_dir=", config.output_dir));
    }
    return Launch(
        method, static_cast<int>(config.nproc), arguments,
        WayOn(config.output_dir, absl::StrCat(" --nproc=", config.nproc)));
  }
  absl::StatusOr<std::unique_ptr<World>> world =
      World::Join(*placement, absl::Seconds(config.dist_timeout));
  if (!world.ok()) {
    absl::FPrintF(stderr, "%s: %s\n", method, world.status().message());
    return 1;
  }
  // The root speaks for all; of the others errors alone are heard.
  if (!(*world)->root() && std::freopen("/dev/null", "w", stdout) == nullptr) {
    std::fclose(stdout);
  }
  return Report(method, **world, *command_line);
}

}  // namespace gsg

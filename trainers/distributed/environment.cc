#include "trainers/distributed/environment.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gsg_core/status_macros.h"

namespace gsg {
namespace {

using Variable = absl::FunctionRef<const char*(const char*)>;

// What one kind of starter calls things.
struct Names {
  const char* starter;
  const char* rank;
  const char* size;
  const char* local_rank;
  const char* local_size;  // null: it does not say
};

constexpr Names kStarters[] = {
    {"torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"},
    {"Slurm", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID", nullptr},
    {"mpirun", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
     "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"},
};

// Unset and empty are the same.
const char* Get(Variable variable, const char* name) {
  const char* text = name == nullptr ? nullptr : variable(name);
  return text == nullptr || *text == '\0' ? nullptr : text;
}

// nullopt where the variable is unset.
absl::StatusOr<std::optional<int>> Number(Variable variable, const char* name,
                                          int low, int high) {
  const char* text = Get(variable, name);
  if (text == nullptr) return std::optional<int>();
  int value;
  if (!absl::SimpleAtoi(text, &value) || value < low || value > high) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the environment has ", name, "=", text,
        "; it must be a whole number from ", low,
        high == std::numeric_limits<int>::max() ? std::string(" on")
                                                : absl::StrCat(" to ", high)));
  }
  return std::optional<int>(value);
}

absl::Status Contradiction(const char* what, int value, const char* size_name,
                           int size) {
  return absl::InvalidArgumentError(absl::StrCat(
      "the environment has ", what, "=", value, " and ", size_name, "=", size,
      "; ranks count from 0 and are below the number of processes"));
}

// Where the processes meet.
absl::Status ReadMaster(Variable variable, const char* starter,
                        Placement* placement) {
  const char* address = Get(variable, "MASTER_ADDR");
  GSG_ASSIGN_OR_RETURN(std::optional<int> port,
                       Number(variable, "MASTER_PORT", 1, 65535));
  if (address == nullptr || !port.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the environment, ", starter, "'s, says that this is one of ",
        placement->size, " processes, and not where they meet: ",
        address == nullptr ? "MASTER_ADDR" : "MASTER_PORT",
        " is not set. Set MASTER_ADDR to the machine of rank 0 and MASTER_PORT "
        "to a free port there, the same for all (docs/distributed.md). If this "
        "was to be a single process, unset what says otherwise"));
  }
  placement->master_address = address;
  placement->master_port = static_cast<uint16_t>(*port);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Placement> ReadPlacement(Variable variable) {
  constexpr int kMax = std::numeric_limits<int>::max();
  Placement placement;
  for (const Names& names : kStarters) {
    GSG_ASSIGN_OR_RETURN(const std::optional<int> rank,
                         Number(variable, names.rank, 0, kMax));
    GSG_ASSIGN_OR_RETURN(const std::optional<int> size,
                         Number(variable, names.size, 1, kMax));
    if (!rank.has_value() && !size.has_value()) continue;
    // Slurm has its number of tasks also where no task was started by srun.
    const bool torchrun = names.rank == kStarters[0].rank;
    if (!torchrun && !rank.has_value()) continue;
    if (!rank.has_value() || !size.has_value()) {
      const bool no_rank = !rank.has_value();
      return absl::InvalidArgumentError(absl::StrCat(
          "the environment has ", no_rank ? names.size : names.rank,
          " but not ", no_rank ? names.rank : names.size, ": set both, or",
          " neither for a single process"));
    }
    placement.rank = *rank;
    placement.size = *size;
    if (placement.rank >= placement.size) {
      return Contradiction(names.rank, placement.rank, names.size,
                           placement.size);
    }
    if (placement.size == 1) return placement;

    GSG_ASSIGN_OR_RETURN(const std::optional<int> local_rank,
                         Number(variable, names.local_rank, 0, kMax));
    placement.local_rank = local_rank;
    if (names.local_size != nullptr) {
      GSG_ASSIGN_OR_RETURN(const std::optional<int> local_size,
                           Number(variable, names.local_size, 1, kMax));
      placement.local_size = local_size;
      if (placement.local_rank.has_value() && local_size.has_value() &&
          *placement.local_rank >= *local_size) {
        return Contradiction(names.local_rank, *placement.local_rank,
                             names.local_size, *local_size);
      }
    }
    GSG_RETURN_IF_ERROR(ReadMaster(variable, names.starter, &placement));
    if (!torchrun) return placement;
    const char* agent = Get(variable, "TORCHELASTIC_USE_AGENT_STORE");
    placement.agent_listens = agent != nullptr && std::string(agent) == "True";
    GSG_ASSIGN_OR_RETURN(
        const std::optional<int> attempt,
        Number(variable, "TORCHELASTIC_RESTART_COUNT", 0, kMax));
    placement.attempt = attempt.value_or(0);
    GSG_ASSIGN_OR_RETURN(const std::optional<int> launcher,
                         Number(variable, kLaunchedVariable, 1, kMax));
    placement.launcher = launcher.value_or(0);
    GSG_ASSIGN_OR_RETURN(const std::optional<int> socket,
                         Number(variable, kSocketVariable, 0, kMax));
    placement.socket = socket.value_or(-1);
    return placement;
  }
  return placement;
}

}  // namespace gsg

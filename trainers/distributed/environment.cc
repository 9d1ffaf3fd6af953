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
  absl::StatusOr<std::optional<int>> port =
      Number(variable, "MASTER_PORT", 1, 65535);
  if (!port.ok()) return port.status();
  if (address == nullptr || !port->has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the environment, ", starter, "'s, says that this is one of ",
        placement->size, " processes, and not where they meet: ",
        address == nullptr ? "MASTER_ADDR" : "MASTER_PORT",
        " is not set. Set MASTER_ADDR to the machine of rank 0 and MASTER_PORT "
        "to a free port there, the same for all (docs/distributed.md). If this "
        "was to be a single process, unset what says otherwise"));
  }
  placement->master_address = address;
  placement->master_port = static_cast<uint16_t>(**port);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Placement> ReadPlacement(Variable variable) {
  constexpr int kMax = std::numeric_limits<int>::max();
  Placement placement;
  for (const Names& names : kStarters) {
    const absl::StatusOr<std::optional<int>> rank =
        Number(variable, names.rank, 0, kMax);
    if (!rank.ok()) return rank.status();
    const absl::StatusOr<std::optional<int>> size =
        Number(variable, names.size, 1, kMax);
    if (!size.ok()) return size.status();
    if (!rank->has_value() && !size->has_value()) continue;
    // Slurm has its number of tasks also where no task was started by srun.
    const bool torchrun = names.rank == kStarters[0].rank;
    if (!torchrun && !rank->has_value()) continue;
    if (!rank->has_value() || !size->has_value()) {
      const bool no_rank = !rank->has_value();
      return absl::InvalidArgumentError(absl::StrCat(
          "the environment has ", no_rank ? names.size : names.rank,
          " but not ", no_rank ? names.rank : names.size, ": set both, or",
          " neither for a single process"));
    }
    placement.rank = **rank;
    placement.size = **size;
    if (placement.rank >= placement.size) {
      return Contradiction(names.rank, placement.rank, names.size,
                           placement.size);
    }
    if (placement.size == 1) return placement;

    const absl::StatusOr<std::optional<int>> local_rank =
        Number(variable, names.local_rank, 0, kMax);
    if (!local_rank.ok()) return local_rank.status();
    placement.local_rank = *local_rank;
    if (names.local_size != nullptr) {
      const absl::StatusOr<std::optional<int>> local_size =
          Number(variable, names.local_size, 1, kMax);
      if (!local_size.ok()) return local_size.status();
      placement.local_size = *local_size;
      if (placement.local_rank.has_value() && local_size->has_value() &&
          *placement.local_rank >= **local_size) {
        return Contradiction(names.local_rank, *placement.local_rank,
                             names.local_size, **local_size);
      }
    }
    if (absl::Status s = ReadMaster(variable, names.starter, &placement);
        !s.ok()) {
      return s;
    }
    if (!torchrun) return placement;
    const char* agent = Get(variable, "TORCHELASTIC_USE_AGENT_STORE");
    placement.agent_listens = agent != nullptr && std::string(agent) == "True";
    const absl::StatusOr<std::optional<int>> attempt =
        Number(variable, "TORCHELASTIC_RESTART_COUNT", 0, kMax);
    if (!attempt.ok()) return attempt.status();
    placement.attempt = attempt->value_or(0);
    const absl::StatusOr<std::optional<int>> launcher =
        Number(variable, kLaunchedVariable, 1, kMax);
    if (!launcher.ok()) return launcher.status();
    placement.launcher = launcher->value_or(0);
    const absl::StatusOr<std::optional<int>> socket =
        Number(variable, kSocketVariable, 0, kMax);
    if (!socket.ok()) return socket.status();
    placement.socket = socket->value_or(-1);
    return placement;
  }
  return placement;
}

}  // namespace gsg

// This process's place in a run, from the environment variables of its
// launcher.

#ifndef GSG_TRAINERS_DISTRIBUTED_ENVIRONMENT_H_
#define GSG_TRAINERS_DISTRIBUTED_ENVIRONMENT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

namespace gsg {

// One of `size` processes that train together.
struct Placement {
  int rank = 0;  // 0 .. size - 1
  int size = 1;
  // Number of this process on its machine, which is that of its GPU, and how
  // many there are; unknown where the environment does not say.
  std::optional<int> local_rank;
  std::optional<int> local_size;
  // Where the processes find each other. Empty for one process.
  std::string master_address;
  uint16_t master_port = 0;
  // torchrun's own process listens there; else rank 0 does.
  bool agent_listens = false;
  // How often torchrun has started the processes again.
  int attempt = 0;
  // The process that --nproc started this one from (launcher.h); else 0.
  int launcher = 0;
  // Rank 0 under --nproc: a socket bound to master_port; else -1.
  int socket = -1;
};

// The first of these that says something:
//   RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE   torchrun, --nproc, by hand
//   SLURM_PROCID, SLURM_NTASKS, SLURM_LOCALID        srun
//   OMPI_COMM_WORLD_RANK, .._SIZE, .._LOCAL_RANK, .._LOCAL_SIZE   mpirun
// and MASTER_ADDR and MASTER_PORT, if that is more than one process. Nothing:
// one process. `variable` is getenv, or a test's.
//
// Errors: kInvalidArgument naming the variable that is missing, no number or
// contradicts another, and what to do.
absl::StatusOr<Placement> ReadPlacement(
    absl::FunctionRef<const char*(const char*)> variable);

// The variables of --nproc besides RANK and the others.
inline constexpr char kLaunchedVariable[] = "GSG_LAUNCHED";
inline constexpr char kSocketVariable[] = "GSG_LAUNCHED_SOCKET";

}  // namespace gsg

#endif  // GSG_TRAINERS_DISTRIBUTED_ENVIRONMENT_H_

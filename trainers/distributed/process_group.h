// The processes of a run as PyTorch's c10d knows them.

#ifndef GSG_TRAINERS_DISTRIBUTED_PROCESS_GROUP_H_
#define GSG_TRAINERS_DISTRIBUTED_PROCESS_GROUP_H_

#include <c10/util/intrusive_ptr.h>

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "absl/time/time.h"
#include "trainers/distributed/environment.h"

namespace gsg {

// The key-value store through which the processes find each other. Rank 0, or
// torchrun's agent, listens; the others try to connect for `timeout`.
// Throws what c10d does.
c10::intrusive_ptr<c10d::Store> ConnectStore(const Placement& placement,
                                             absl::Duration timeout);

// All processes, connected by Gloo, for tensors on the CPU. An operation fails
// at once if a peer has ended, and after `timeout` if it is silent. SIGPIPE is
// ignored from then on.
// Throws what c10d does.
c10::intrusive_ptr<c10d::ProcessGroup> ConnectProcesses(
    const Placement& placement, const c10::intrusive_ptr<c10d::Store>& store,
    absl::Duration timeout);

// Adds NCCL for tensors on CUDA devices; under --config=cuda alone.
// Throws what c10d does.
void AddCuda(const c10::intrusive_ptr<c10d::Store>& store,
             absl::Duration timeout, c10d::ProcessGroup& group);

}  // namespace gsg

#endif  // GSG_TRAINERS_DISTRIBUTED_PROCESS_GROUP_H_

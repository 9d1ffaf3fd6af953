// --nproc: the same program several times on one machine.

#ifndef GSG_TRAINERS_DISTRIBUTED_LAUNCHER_H_
#define GSG_TRAINERS_DISTRIBUTED_LAUNCHER_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace gsg {

// Exit codes of a training process besides 0 and those of its own errors.
//
// It ended because another process of the run did, which has said why.
inline constexpr int kOtherRankExitCode = 3;

// Starts /proc/self/exe `processes` times with `arguments` (argv, the name of
// the program first) and the variables of environment.h, and waits for all.
// SIGINT, SIGTERM and SIGHUP are passed on. When a process fails the others,
// which notice by themselves, have ten seconds to end before they are killed.
// The processes get SIGTERM if this one is killed.
//
// Returns 0 if all did; else the code of the first that failed by itself, 128 +
// signal if a signal killed it. A process that failed has said why on stderr;
// of one that was killed this says so, with `way_on`, what to do then. Call it
// before the program has threads.
int Launch(absl::string_view program, int processes,
           const std::vector<std::string>& arguments, absl::string_view way_on);

}  // namespace gsg

#endif  // GSG_TRAINERS_DISTRIBUTED_LAUNCHER_H_

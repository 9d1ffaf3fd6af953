// How many CPUs there are for this process.

#ifndef GSG_TRAINERS_BASE_CPUS_H_
#define GSG_TRAINERS_BASE_CPUS_H_

#include <optional>
#include <string>

namespace gsg {

// The CPUs that this process may be scheduled on (taskset, cpusets).
int ScheduledCpus();

// These, but no more than its control groups' quota pays for, rounded up. At
// least 1.
int UsableCpus();

// The smallest quota of the process's control group and of those above it, in
// CPUs (docker run --cpus=1.5: 1.5); nullopt: none. Version 1 and 2 of control
// groups. `root` stands before /proc and /sys, for tests.
std::optional<double> CpuQuota(const std::string& root = "");

}  // namespace gsg

#endif  // GSG_TRAINERS_BASE_CPUS_H_

// Flags: which run and which of its checkpoints, or whose weights.

#ifndef GSG_TRAINERS_PROGRAMS_RUN_OPTIONS_H_
#define GSG_TRAINERS_PROGRAMS_RUN_OPTIONS_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trainers/config/field.h"
#include "trainers/run/saved_network.h"

namespace gsg {

struct RunOptions {
  std::string run;
  std::string checkpoint;
  std::string weights;
};

// For the ForEachField of a struct that has RunOptions for its base.
void ForEachRunField(RunOptions& options, FieldVisitor visit);

// What the network is computed with.
struct ComputeOptions {
  std::string device = "auto";
  int64_t threads = 0;
};

// Program::memory_advice of those that read images with that many threads.
inline constexpr absl::string_view kFewerThreads =
    "use fewer --threads, each of which reads an image, or fewer images";

// For the ForEachField of a struct that has ComputeOptions for a base.
void ForEachComputeField(ComputeOptions& options, FieldVisitor visit);

// Errors: kInvalidArgument unless one of the three is given.
absl::Status CheckRun(const RunOptions& options);

// The file to read.
std::string NetworkPath(const RunOptions& options);

// The network in it.
// Errors: those of LoadNetwork or LoadReleasedNetwork.
absl::StatusOr<SavedNetwork> OpenNetwork(const RunOptions& options,
                                         c10::Device device);

// The folder of the run; the working directory, if there is none.
std::string RunFolder(const RunOptions& options);

}  // namespace gsg

#endif  // GSG_TRAINERS_PROGRAMS_RUN_OPTIONS_H_

// What every training program does besides naming its method.

#ifndef GSG_TRAINERS_TRAINER_MAIN_H_
#define GSG_TRAINERS_TRAINER_MAIN_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trainers/config/config.h"
#include "trainers/methods/method.h"

namespace gsg {

using MethodFactory = std::function<absl::StatusOr<std::unique_ptr<Method>>(
    const Config& config, int64_t channels, c10::Device device)>;

// Parses the command line, trains or resumes, evaluates and reports. Returns
// the exit code: 0; 1 after an error, which it has printed; 2 for a wrong
// command line; 128 + signal if SIGINT or SIGTERM ended the run, saved.
int TrainerMain(absl::string_view method, absl::string_view default_recipe,
                const MethodFactory& make_method, int argc,
                const char* const* argv);

}  // namespace gsg

#endif  // GSG_TRAINERS_TRAINER_MAIN_H_

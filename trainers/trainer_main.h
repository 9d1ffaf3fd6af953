// What every training program does besides naming its method.

#ifndef GSG_TRAINERS_TRAINER_MAIN_H_
#define GSG_TRAINERS_TRAINER_MAIN_H_

#include "absl/strings/string_view.h"

namespace gsg {

// Parses the command line, trains or resumes, evaluates and reports. `method`
// is the program's name and one of trainers/config/methods.h. Returns the exit
// code: 0; 1 after an error, which it has printed; 2 for a wrong command line
// or environment; 128 + signal if SIGINT or SIGTERM ended the run, saved; 3 if
// it was one of several processes and another failed.
//
// With --nproc it starts itself that many times; else it is what the
// environment says (trainers/distributed/environment.h). Rank 0 writes and
// speaks; the others print what keeps them from going on.
int TrainerMain(absl::string_view method, int argc, const char* const* argv);

}  // namespace gsg

#endif  // GSG_TRAINERS_TRAINER_MAIN_H_

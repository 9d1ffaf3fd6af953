// How a program ends.

#ifndef GSG_TRAINERS_BASE_LEAVE_H_
#define GSG_TRAINERS_BASE_LEAVE_H_

namespace gsg {

// Ends the process with that exit code, once what was printed is written.
// Destructors of global objects do not run: LibTorch's take its tables of some
// thousand operators apart, a third of the time of a program that has nothing
// else to do. They do run where somebody may wait for the end: sanitizers, and
// in a build with --config=cuda profilers.
[[noreturn]] void Leave(int exit_code);

}  // namespace gsg

#endif  // GSG_TRAINERS_BASE_LEAVE_H_

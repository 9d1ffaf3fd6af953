// Ctrl-C and the notice that a machine is about to be taken away.

#ifndef GSG_TRAINERS_BASE_INTERRUPT_H_
#define GSG_TRAINERS_BASE_INTERRUPT_H_

#include <string>

namespace gsg {

// From now on the first SIGINT or SIGTERM only makes Interrupted() true, so
// that the step in progress can end and be saved; one that comes a second or
// more later ends the process as usual. Sooner it is the first one once more: a
// terminal sends Ctrl-C to a program and to its parent, which passes it on
// because others send it to the parent alone.
void CatchInterrupts();

// What the first signal prints on stderr at once: the step in progress may take
// long. Not before it was called.
void SetInterruptMessage(const std::string& message);

// Back to signals that end the process at once.
void ReleaseInterrupts();

// The signal that arrived, or 0.
int Interrupted();

// Makes it true as if `signal` had arrived: it did in another process.
void NoteInterrupt(int signal);

}  // namespace gsg

#endif  // GSG_TRAINERS_BASE_INTERRUPT_H_

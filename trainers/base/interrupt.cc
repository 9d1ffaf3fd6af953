#include "trainers/base/interrupt.h"

#include <csignal>

namespace gsg {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void OnSignal(int signal) {
  interrupted = signal;
  ReleaseInterrupts();
}

}  // namespace

void CatchInterrupts() {
  std::signal(SIGINT, OnSignal);
  std::signal(SIGTERM, OnSignal);
}

void ReleaseInterrupts() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

int Interrupted() { return interrupted; }

void NoteInterrupt(int signal) {
  if (interrupted == 0) interrupted = signal;
}

}  // namespace gsg

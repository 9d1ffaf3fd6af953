#include "trainers/base/interrupt.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <string>

namespace gsg {
namespace {

volatile std::sig_atomic_t interrupted = 0;

struct Message {
  std::array<char, 200> text;
  size_t size = 0;
};

// A signal handler may not allocate: it reads the one that is not being
// written.
std::array<Message, 2> messages;
std::atomic<const Message*> message = nullptr;

void OnSignal(int signal) {
  interrupted = signal;
  if (const Message* m = message.load()) {
    const int saved = errno;
    // Nobody can be told if it fails.
    [[maybe_unused]] const ssize_t n =
        write(STDERR_FILENO, m->text.data(), m->size);
    errno = saved;
  }
  ReleaseInterrupts();
}

}  // namespace

void CatchInterrupts() {
  std::signal(SIGINT, OnSignal);
  std::signal(SIGTERM, OnSignal);
}

void SetInterruptMessage(const std::string& text) {
  Message& next = messages[message.load() == &messages[0] ? 1 : 0];
  next.size = std::min(text.size(), next.text.size());
  std::copy_n(text.begin(), next.size, next.text.begin());
  message = &next;
}

void ReleaseInterrupts() {
  message = nullptr;
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

int Interrupted() { return interrupted; }

void NoteInterrupt(int signal) {
  if (interrupted == 0) interrupted = signal;
}

}  // namespace gsg

#include "trainers/base/interrupt.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <string>

namespace gsg {
namespace {

constexpr int64_t kEchoNanoseconds = 1000000000;

volatile std::sig_atomic_t interrupted = 0;

// When the first signal came since CatchInterrupts; 0: none has.
std::atomic<int64_t> first_signal = 0;

struct Message {
  std::array<char, 200> text;
  size_t size = 0;
};

// A signal handler may not allocate: it reads the one that is not being
// written.
std::array<Message, 2> messages;
std::atomic<const Message*> message = nullptr;

int64_t Nanoseconds() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000000000 + now.tv_nsec;
}

void OnSignal(int signal) {
  const int saved = errno;
  const int64_t now = Nanoseconds();
  int64_t first = 0;
  if (first_signal.compare_exchange_strong(first, now)) {
    interrupted = signal;
    if (const Message* m = message.load()) {
      // Nobody can be told if it fails.
      [[maybe_unused]] const ssize_t n =
          write(STDERR_FILENO, m->text.data(), m->size);
    }
  } else if (now - first >= kEchoNanoseconds) {
    // Waits until this handler returns, and then ends the process.
    std::signal(signal, SIG_DFL);
    raise(signal);
  }
  errno = saved;
}

}  // namespace

void CatchInterrupts() {
  first_signal = 0;
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

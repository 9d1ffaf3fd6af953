// To be preloaded (LD_PRELOAD): counts the system calls by which a program
// changes files in one folder, and lets the machine fail at one of them.
//
//   GSG_FAULT_FOLDER  calls below it are counted
//   GSG_FAULT_LOG     a file to which the name of each is appended
//   GSG_FAULT_AT      number of the call at which it happens; 1 is the first
//   GSG_FAULT         "kill": the process is killed, in a write after half of
//                     it is written, else before the call; or the number of an
//                     errno: this call and all after it fail with it, a write
//                     after half of it is written

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

struct Plan {
  const std::string folder = Variable("GSG_FAULT_FOLDER");
  const std::string log = Variable("GSG_FAULT_LOG");
  const std::string fault = Variable("GSG_FAULT");
  const long at = std::atol(Variable("GSG_FAULT_AT").c_str());  // NOLINT
  std::atomic<long> calls{0};                                   // NOLINT
};

Plan& ThePlan() {
  static Plan* const plan = new Plan;
  return *plan;
}

template <class Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

void Kill() {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

bool Counts(const char* path) {
  const Plan& plan = ThePlan();
  return !plan.folder.empty() &&
         std::strncmp(path, plan.folder.c_str(), plan.folder.size()) == 0;
}

bool Counts(int fd) {
  char path[PATH_MAX] = "";
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = readlink(link.c_str(), path, sizeof(path) - 1);
  return size > 0 && Counts(path);
}

// The number of this call less that of the one which fails first.
long Position(const char* name) {  // NOLINT: as std::atol
  Plan& plan = ThePlan();
  if (!plan.log.empty()) {
    const std::string line = std::string(name) + "\n";
    const long fd = syscall(SYS_openat, AT_FDCWD, plan.log.c_str(),  // NOLINT
                            O_WRONLY | O_CREAT | O_APPEND, 0644);
    syscall(SYS_write, fd, line.data(), line.size());
    syscall(SYS_close, fd);
  }
  const long position = ++plan.calls - plan.at;  // NOLINT
  return plan.at == 0 ? -1 : position;
}

// Whether the call fails, with errno set; or does not return at all.
bool Fails(const char* name) {
  if (Position(name) < 0) return false;
  if (ThePlan().fault == "kill") Kill();
  errno = std::atoi(ThePlan().fault.c_str());
  return true;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if ((flags & O_ACCMODE) != O_RDONLY && Counts(path) && Fails("open")) {
    return -1;
  }
  return Real<int(const char*, int, mode_t)>("open")(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return open(path, flags, mode);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  const auto real = Real<ssize_t(int, const void*, size_t)>("write");
  if (!Counts(fd)) return real(fd, bytes, size);
  const long position = Position("write");  // NOLINT: as std::atol
  if (position < 0) return real(fd, bytes, size);
  // Half of it, and the program will ask to write the rest.
  if (position == 0 && size > 1) {
    const ssize_t written = real(fd, bytes, size / 2);
    if (ThePlan().fault == "kill") Kill();
    return written;
  }
  if (ThePlan().fault == "kill") Kill();
  errno = std::atoi(ThePlan().fault.c_str());
  return -1;
}

int fsync(int fd) {
  if (Counts(fd) && Fails("fsync")) return -1;
  return Real<int(int)>("fsync")(fd);
}

int ftruncate(int fd, off_t size) noexcept {
  if (Counts(fd) && Fails("ftruncate")) return -1;
  return Real<int(int, off_t)>("ftruncate")(fd, size);
}

int rename(const char* from, const char* to) noexcept {
  if (Counts(to) && Fails("rename")) return -1;
  return Real<int(const char*, const char*)>("rename")(from, to);
}

int link(const char* from, const char* to) noexcept {
  if (Counts(to) && Fails("link")) return -1;
  return Real<int(const char*, const char*)>("link")(from, to);
}

int mkdir(const char* path, mode_t mode) noexcept {
  if (Counts(path) && Fails("mkdir")) return -1;
  return Real<int(const char*, mode_t)>("mkdir")(path, mode);
}

}  // extern "C"

#include "trainers/base/cpus.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace gsg {
namespace {

// The file's words; none if it cannot be read.
std::vector<std::string> Words(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> words;
  for (std::string word; file >> word;) words.push_back(word);
  return words;
}

// Of one control group: "200000 100000" (version 2) or two files (version 1).
std::optional<double> QuotaOf(const std::string& group, bool version1) {
  std::vector<std::string> words;
  if (version1) {
    for (const char* file : {"/cpu.cfs_quota_us", "/cpu.cfs_period_us"}) {
      for (std::string& word : Words(group + file)) words.push_back(word);
    }
  } else {
    words = Words(group + "/cpu.max");
  }
  double quota, period;
  if (words.size() != 2 || !absl::SimpleAtod(words[0], &quota) ||
      !absl::SimpleAtod(words[1], &period) || quota <= 0 || period <= 0) {
    return std::nullopt;  // "max", -1, or not there
  }
  return quota / period;
}

}  // namespace

std::optional<double> CpuQuota(const std::string& root) {
  std::optional<double> least;
  // A line is <number>:<controllers>:<path>; version 2 has no controllers.
  for (const std::string& line : Words(root + "/proc/self/cgroup")) {
    const std::vector<std::string> parts =
        absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3) continue;
    const std::vector<absl::string_view> controllers =
        absl::StrSplit(parts[1], ',');
    const bool version1 = !parts[1].empty();
    if (version1 && std::find(controllers.begin(), controllers.end(), "cpu") ==
                        controllers.end()) {
      continue;
    }
    const std::string mount =
        absl::StrCat(root, "/sys/fs/cgroup", version1 ? "/cpu" : "");
    // In a container the path may be the host's: then the group is the mount.
    for (std::string path = parts[2];;) {
      const std::optional<double> quota = QuotaOf(mount + path, version1);
      if (quota && (!least || *quota < *least)) least = quota;
      if (path.empty()) break;
      path.resize(path.rfind('/') == path.npos ? 0 : path.rfind('/'));
    }
  }
  return least;
}

int ScheduledCpus() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof(set), &set) == 0
             ? CPU_COUNT(&set)
             : static_cast<int>(std::thread::hardware_concurrency());
}

int UsableCpus() {
  int cpus = ScheduledCpus();
  if (const std::optional<double> quota = CpuQuota()) {
    cpus = std::min(cpus, static_cast<int>(std::ceil(*quota)));
  }
  return std::max(cpus, 1);
}

}  // namespace gsg

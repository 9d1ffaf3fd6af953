#ifndef GSG_TRAINERS_RUN_METRICS_LOG_H_
#define GSG_TRAINERS_RUN_METRICS_LOG_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace gsg {

// One JSON object on one line, its keys in the order of the calls. Numbers
// read back exactly; NaN and infinity, which JSON lacks, become null.
class MetricsRecord {
 public:
  MetricsRecord& Add(absl::string_view key, double value);
  MetricsRecord& Add(absl::string_view key, int64_t value);
  MetricsRecord& Add(absl::string_view key, const std::vector<double>& values);

  // {"epoch":1,"loss":-0.5}
  std::string ToJson() const;

 private:
  void AddJson(absl::string_view key, absl::string_view json);

  std::string members_;
};

// metrics.jsonl: one MetricsRecord a line, each on disk when Append returns.
class MetricsLog {
 public:
  // Opens `path`, or makes it, and cuts it off after its first `keep` records,
  // those that the checkpoint to go on from knows: 0 for a new run.
  // A line without its line feed is not a record.
  // Errors: kDataLoss if there are fewer than `keep`; the file system's.
  static absl::StatusOr<MetricsLog> Open(const std::string& path, int64_t keep);
  ~MetricsLog();

  MetricsLog(MetricsLog&& other);
  MetricsLog& operator=(MetricsLog&& other);

  // After an error the file may end in a part of the record; Open drops it.
  absl::Status Append(const MetricsRecord& record);

 private:
  MetricsLog(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  std::string path_;
  int fd_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_RUN_METRICS_LOG_H_

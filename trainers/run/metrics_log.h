#ifndef GSG_TRAINERS_RUN_METRICS_LOG_H_
#define GSG_TRAINERS_RUN_METRICS_LOG_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace gsg {

// metrics.jsonl: one record, a JSON object, a line; each is on disk when Append
// returns.
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

  // `record`: JSON without line feeds.
  // After an error the file may end in a part of the record; Open drops it.
  absl::Status Append(absl::string_view record);

 private:
  MetricsLog(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  std::string path_;
  int fd_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_RUN_METRICS_LOG_H_

#include "trainers/run/metrics_log.h"

#include <cstdint>
#include <fstream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/append_file.h"
#include "trainers/run/epoch_record.h"
#include "trainers/run/run_directory.h"
#include "trainers/run/run_state.h"
#include "trainers/run/tensorboard.h"

namespace gsg {

absl::StatusOr<MetricsLog> MetricsLog::Open(const std::string& folder,
                                            int64_t keep, bool tensorboard) {
  const std::string path = absl::StrCat(folder, "/", kMetricsFile);
  int64_t records = 0;
  int64_t bytes = 0;
  std::ifstream file(path, std::ios::binary);
  // At the end of the file getline sets eof for a line without a line feed.
  for (std::string line;
       records < keep && std::getline(file, line) && !file.eof(); ++records) {
    bytes += static_cast<int64_t>(line.size()) + 1;
  }
  if (records < keep) {
    return absl::DataLossError(
        absl::StrCat(path, " has ", records,
                     " records; the checkpoint was saved after ", keep));
  }
  GSG_ASSIGN_OR_RETURN(AppendFile opened, AppendFile::Open(path));
  GSG_RETURN_IF_ERROR(opened.Shorten(bytes));
  MetricsLog log(std::move(opened));
  if (tensorboard) {
    GSG_ASSIGN_OR_RETURN(log.events_, TensorBoardLog::Open(folder, keep + 1));
  }
  return log;
}

absl::Status MetricsLog::Append(const EpochRecord& record) {
  GSG_RETURN_IF_ERROR(file_.Append(absl::StrCat(MetricsLine(record), "\n")));
  return events_ ? events_->Append(record) : absl::OkStatus();
}

}  // namespace gsg

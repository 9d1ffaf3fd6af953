#include "trainers/programs/explore_index.h"

#include <cstdint>
#include <optional>
#include <string>

#include "absl/crc/crc32c.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/json.h"
#include "trainers/base/sealed_file.h"

namespace gsg {
namespace {

// Paths may be any bytes; JSON takes UTF-8.
std::string Escaped(absl::string_view path) { return absl::CEscape(path); }

}  // namespace

absl::StatusOr<uint32_t> ChecksumOf(const std::string& path) {
  GSG_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  return static_cast<uint32_t>(absl::ComputeCrc32c(bytes));
}

absl::Status CheckSameNetwork(const IndexInfo& info) {
  GSG_ASSIGN_OR_RETURN(const uint32_t now, ChecksumOf(info.checkpoint));
  if (now == info.checksum) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      info.checkpoint,
      " is not the network any more whose features the index has: training "
      "went on, or another file is there. Run explore again"));
}

absl::Status WriteIndexInfo(const std::string& folder, const IndexInfo& info) {
  const Json json = {
      {"checkpoint", Escaped(info.checkpoint)},
      {"checksum", info.checksum},
      {"released", info.released},
      {"image_size", info.image_size},
      {"features", Escaped(info.features)},
      {"images", Escaped(info.images)},
      {"center", info.center},
  };
  return WriteFileAtomically(absl::StrCat(folder, "/", kIndexFile),
                             JsonText(json, 2) + "\n");
}

absl::StatusOr<IndexInfo> ReadIndexInfo(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/", kIndexFile);
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (absl::IsNotFound(text.status())) {
    return absl::NotFoundError(
        absl::StrCat(folder, " has no ", kIndexFile,
                     ": --index takes the --output folder "
                     "of an explore that came to its end"));
  }
  GSG_RETURN_IF_ERROR(text.status());
  const absl::StatusOr<Json> json = ParseJson(*text);
  const auto damaged = [&] {
    return absl::DataLossError(absl::StrCat(
        path, " is not what this explore writes; run explore again"));
  };
  if (!json.ok() || !json->is_object()) return damaged();
  IndexInfo info;
  const auto path_of = [&](const char* key, std::string* value) {
    return json->contains(key) && (*json)[key].is_string() &&
           absl::CUnescape((*json)[key].get<std::string>(), value);
  };
  if (!path_of("checkpoint", &info.checkpoint) ||
      !path_of("features", &info.features) ||
      !path_of("images", &info.images) || !json->contains("image_size") ||
      !json->contains("checksum") || !json->contains("center") ||
      !(*json)["center"].is_boolean() || !json->contains("released") ||
      !(*json)["released"].is_boolean()) {
    return damaged();
  }
  const std::optional<int64_t> size = WholeNumber((*json)["image_size"]);
  if (!size.has_value() || *size < 0) return damaged();
  info.image_size = *size;
  const std::optional<int64_t> checksum = WholeNumber((*json)["checksum"]);
  if (!checksum.has_value()) return damaged();
  info.checksum = static_cast<uint32_t>(*checksum);
  info.center = (*json)["center"].get<bool>();
  info.released = (*json)["released"].get<bool>();
  return info;
}

}  // namespace gsg

#include "trainers/weights/file_format.h"

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace gsg {

FileFormat FormatOf(absl::string_view bytes) {
  if (absl::StartsWith(bytes, "PK\3\4")) return FileFormat::kZip;
  // The protocol of a pickle, 2 to 5.
  if (bytes.size() > 2 && bytes[0] == '\x80' && bytes[1] >= 2 &&
      bytes[1] <= 5) {
    return FileFormat::kPickle;
  }
  if (bytes.size() > 8 && bytes[7] == '\0' && bytes[8] == '{') {
    return FileFormat::kSafetensors;
  }
  return FileFormat::kOther;
}

}  // namespace gsg

#ifndef GSG_TRAINERS_WEIGHTS_FILE_FORMAT_H_
#define GSG_TRAINERS_WEIGHTS_FILE_FORMAT_H_

#include "absl/strings/string_view.h"

namespace gsg {

enum class FileFormat {
  kZip,          // torch.save since version 1.6, TorchScript
  kPickle,       // torch.save before that
  kSafetensors,  // a length below 2^56, then JSON
  kOther,
};

// What a file of tensors is, by its first bytes.
FileFormat FormatOf(absl::string_view bytes);

}  // namespace gsg

#endif  // GSG_TRAINERS_WEIGHTS_FILE_FORMAT_H_

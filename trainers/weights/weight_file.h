// Weights that others have released, in the files that they release them in.

#ifndef GSG_TRAINERS_WEIGHTS_WEIGHT_FILE_H_
#define GSG_TRAINERS_WEIGHTS_WEIGHT_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "trainers/weights/torch_archive.h"

namespace gsg {

struct WeightFile {
  // Named by the keys on the way to them, joined by dots.
  NamedTensors tensors;
  std::string sha256;   // of the file, 64 hexadecimal digits
  bool of_run = false;  // is it a checkpoint that a run of ours has saved?
};

// Reads a file of torch.save (the zip format; torchvision's .pth, checkpoints
// of DINO, MoCo, our own checkpoint-last.pt), or a .safetensors file. What it
// is, the file's first bytes say, not its name. Errors: kNotFound and the file
// system's; kInvalidArgument saying what the file is and what to do, if it is
// of another format; kDataLoss if it is damaged, or has no tensors. All name
// the file.
absl::StatusOr<WeightFile> ReadWeightFile(const std::string& path);

}  // namespace gsg

#endif  // GSG_TRAINERS_WEIGHTS_WEIGHT_FILE_H_

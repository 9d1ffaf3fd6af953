// A backbone's weights in a file that others have made.

#ifndef GSG_TRAINERS_WEIGHTS_BACKBONE_WEIGHTS_H_
#define GSG_TRAINERS_WEIGHTS_BACKBONE_WEIGHTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "models/backbone.h"
#include "trainers/weights/torch_archive.h"

namespace gsg {

struct BackboneWeights {
  // In front of the backbone's names in the file, as "module.encoder_q.".
  std::string prefix;
  int64_t tensors = 0;  // of them that the backbone now has
  // Those behind the prefix that are of a classifier or another head.
  std::vector<std::string> heads;
  // "14 x 14 to 6 x 6 patches" if the position embeddings were resized, or
  // empty.
  std::string resized;
};

// Copies into `backbone` the tensors of `file` that have its names:
// torchvision's, or timm's, all behind one prefix, whatever that is. Where a
// file has several such networks, the one that others would use is taken: the
// momentum-free encoder_q of MoCo, the teacher of DINO. Values are converted to
// float32; position embeddings are resized to the backbone's grid. A ConvNeXt's
// layer scales may be [C] for [C, 1, 1], as timm's are, and its Linear weights
// [O, I, 1, 1]. The counts that BatchNorm keeps of its batches may be missing.
//
// Errors: kInvalidArgument, with `backbone` unchanged, if tensors are missing,
// of another shape, or unknown: it names the first few of each, and which
// --backbone the file is of, where that can be told.
absl::StatusOr<BackboneWeights> LoadBackboneWeights(const NamedTensors& file,
                                                    absl::string_view name,
                                                    Backbone& backbone);

struct BackboneGuess {
  std::string backbone;  // a value of --backbone
  // Of a Vision Transformer; the side of the images that its position
  // embeddings are for, or 0 if they are of no square.
  int64_t patch_size = 0;
  int64_t image_size = 0;
};

// The state of a backbone, which has torchvision's names, as timm has it: its
// names, and layer scales of [C].
NamedTensors TimmState(const NamedTensors& state);

// Whose the tensors of a ResNet, Vision Transformer or ConvNeXt are, by their
// names and shapes, behind whatever prefix. nullopt if none of ours has such.
std::optional<BackboneGuess> GuessBackbone(const NamedTensors& file);

}  // namespace gsg

#endif  // GSG_TRAINERS_WEIGHTS_BACKBONE_WEIGHTS_H_

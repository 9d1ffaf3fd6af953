// Writes a run's backbone as a state dict that torchvision or timm takes.

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"
#include "models/module_state.h"
#include "models/siamese.h"
#include "trainers/base/leave.h"
#include "trainers/base/sealed_file.h"
#include "trainers/config/config.h"
#include "trainers/config/field.h"
#include "trainers/methods/make_method.h"
#include "trainers/programs/loading_code.h"
#include "trainers/programs/program.h"
#include "trainers/programs/run_options.h"
#include "trainers/run/checkpoint.h"
#include "trainers/run/saved_network.h"
#include "trainers/weights/backbone_weights.h"
#include "trainers/weights/safetensors.h"

namespace gsg {
namespace {

constexpr char kIntroduction[] =
    "export writes the backbone of a run as a file for PyTorch, with "
    "torchvision's\nnames or timm's: where one goes on to fine-tuning, "
    "detection or segmentation\n(docs/transfer.md). It says how to load it."
    "\n\n"
    "Example:\n  export --run=runs/imagenet --output=backbone.pt\n";

constexpr absl::string_view kAuto = "auto";
constexpr absl::string_view kTorch = "torch";
constexpr absl::string_view kSafetensors = "safetensors";
constexpr absl::string_view kTorchvision = "torchvision";
constexpr absl::string_view kTimm = "timm";

struct ExportOptions : RunOptions {
  std::string output = "backbone.pt";
  std::string format = std::string(kAuto);
  std::string names = std::string(kTorchvision);
  int64_t num_classes = 1000;
};

void ForEachField(ExportOptions& o, FieldVisitor visit) {
  ForEachRunField(o, visit);
  constexpr absl::string_view kExport = "Export";
  visit(&o.output, Field{"output", kExport, "the file to write"}.Path());
  visit(&o.format,
        Field{"format", kExport,
              "of the file: torch = as by torch.save, safetensors, auto = by "
              "the name of --output"}
            .OneOf({kAuto, kTorch, kSafetensors}));
  visit(&o.names, Field{"names", kExport, "whose names the tensors have"}.OneOf(
                      {kTorchvision, kTimm}));
  visit(&o.num_classes,
        Field{"num_classes", kExport,
              "rows of the classifier, which is all zeros and there because "
              "their networks have one; 0 = none"}
            .Between(0, 100000));
}

absl::Status Validate(const ExportOptions& options) {
  absl::Status status = CheckRun(options);
  if (options.output.empty()) {
    status.Update(
        absl::InvalidArgumentError("--output=: name the file to write"));
  }
  if (absl::EndsWith(options.output, ".onnx")) {
    status.Update(absl::InvalidArgumentError(absl::StrCat(
        "--output=", options.output,
        ": ONNX is written by the Python package, guided_stop_gradient."
        "Run(folder).export_onnx(file) (docs/transfer.md)")));
  }
  return status;
}

absl::Status Export(const ExportOptions& options) {
  std::error_code error;
  if (std::filesystem::equivalent(options.output, NetworkPath(options),
                                  error)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--output=", options.output,
        " is the file that is exported, and would be lost; name another"));
  }
  GSG_ASSIGN_OR_RETURN(SavedNetwork network, OpenNetwork(options, c10::kCPU));
  const Config& config = network.config;
  GSG_ASSIGN_OR_RETURN(const SiameseOptions made,
                       NetworkOptions(config, network.channels()));
  const bool timm = options.names == kTimm;
  GSG_ASSIGN_OR_RETURN(
      const LoadingCode code,
      timm ? TimmCode(config, made.backbone, options.num_classes)
           : TorchvisionCode(config, made.backbone, options.num_classes));
  NamedTensors state = ModuleState("", network.backbone->module());
  if (timm) state = TimmState(state);
  const int64_t features = network.backbone->feature_dim();
  if (options.num_classes > 0) {
    state.emplace_back(absl::StrCat(code.classifier, ".weight"),
                       at::zeros({options.num_classes, features}));
    state.emplace_back(absl::StrCat(code.classifier, ".bias"),
                       at::zeros({options.num_classes}));
  }
  const bool safetensors = options.format == kSafetensors ||
                           (options.format == kAuto &&
                            absl::EndsWith(options.output, ".safetensors"));
  if (safetensors) {
    GSG_ASSIGN_OR_RETURN(const std::string bytes, WriteSafetensors(state));
    GSG_RETURN_IF_ERROR(WriteFileAtomically(options.output, bytes));
  } else {
    GSG_RETURN_IF_ERROR(SaveStateDict(options.output, state));
  }

  const auto numbers = [](const std::vector<double>& values) {
    return absl::StrJoin(values, ", ", [](std::string* out, double value) {
      absl::StrAppendFormat(out, "%.4f", value);
    });
  };
  absl::PrintF(
      "%s after %d epochs: %s, %d features, written to %s. In Python:\n\n%s"
      "model.load_state_dict(%s(\"%s\"))\n\n"
      "Its images had %d channel%s with values from 0 to 1, then\n"
      "torchvision.transforms.Normalize(mean=[%s], std=[%s])\n",
      config.method, network.state.epoch, config.backbone, features,
      options.output, code.lines,
      safetensors ? "safetensors.torch.load_file" : "torch.load",
      options.output, network.channels(), network.channels() == 1 ? "" : "s",
      numbers(network.state.channel_mean), numbers(network.state.channel_std));
  return absl::OkStatus();
}

}  // namespace
}  // namespace gsg

int main(int argc, char** argv) {
  const gsg::Program<gsg::ExportOptions> program = {
      "export", gsg::kIntroduction, gsg::Export};
  gsg::Leave(gsg::ProgramMain(program, argc, argv));
}

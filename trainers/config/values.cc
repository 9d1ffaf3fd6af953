#include "trainers/config/values.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gsg_core/distance.h"
#include "gsg_core/pairing.h"
#include "gsg_core/parse.h"
#include "gsg_core/selection.h"
#include "trainers/base/did_you_mean.h"
#include "trainers/config/config.h"
#include "trainers/config/convnext.h"
#include "trainers/config/field.h"
#include "trainers/config/transformer.h"
#include "trainers/image/normalize.h"

namespace gsg {
namespace {

absl::Status UnknownValue(absl::string_view text,
                          const std::vector<absl::string_view>& allowed) {
  return absl::InvalidArgumentError(
      absl::StrCat("unknown value; ", DidYouMean(text, allowed),
                   "allowed: ", absl::StrJoin(allowed, ", ")));
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool HasBlanks(absl::string_view text) {
  return text != absl::StripAsciiWhitespace(text);
}

// `parsed` is what gsg_core reads, `names` what it knows.
template <class Enum>
absl::Status ParseName(absl::string_view text,
                       const absl::StatusOr<Enum>& parsed,
                       const std::vector<absl::string_view>& names,
                       Enum* value) {
  if (!parsed.ok()) return UnknownValue(text, names);
  *value = *parsed;
  return absl::OkStatus();
}

template <class Value>
absl::Status Bad(const Field& field, const Value& value,
                 absl::string_view problem) {
  return absl::InvalidArgumentError(
      absl::StrCat("--", field.name, "=", ValueText(value), ": ", problem));
}

template <class Number>
absl::Status CheckNumber(const Field& field, Number value) {
  if (!std::isfinite(static_cast<double>(value))) {
    return Bad(field, value, "must be a finite number");
  }
  if (value < field.min || value > field.max ||
      (field.above_min && value == field.min)) {
    return Bad(field, value, absl::StrCat("must be ", AllowedText(field)));
  }
  return absl::OkStatus();
}

// Fails unless low <= high.
template <class Number>
absl::Status Ordered(absl::string_view low_name, Number low,
                     absl::string_view high_name, Number high) {
  if (low <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--", low_name, "=", ValueText(low), " is above --",
                   high_name, "=", ValueText(high)));
}

// Do views divide into a transformer's patches?
absl::Status CheckPatches(absl::string_view flag, int64_t size, int64_t patch) {
  const int64_t below = size / patch * patch;
  if (below == size) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "--", flag, "=", size, " does not divide into patches of ", patch,
      " pixels (--patch_size): use --", flag, "=",
      below > 0 ? absl::StrCat(below, " or ") : "", below + patch));
}

absl::Status CheckPatches(const Config& config) {
  if (!IsTransformer(config)) return absl::OkStatus();
  const int64_t patch = PatchSize(config);
  absl::Status status = CheckPatches("crop_size", config.augment.size, patch);
  if (config.local_crops.count > 0) {
    status.Update(
        CheckPatches("local_crop_size", config.local_crops.size, patch));
  }
  return status;
}

// Has a ConvNeXt something left of views in its last stage?
absl::Status CheckSides(const Config& config) {
  if (!IsConvNext(config)) return absl::OkStatus();
  const auto check = [&](absl::string_view flag, int64_t size) {
    const int64_t least = LeastSide(config);
    if (size >= least) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        "--", flag, "=", size, " is too small for ", config.backbone,
        " with --stem=", config.stem, ": use --", flag, "=", least, " or more",
        config.stem == "small" ? "" : ", or a smaller stem"));
  };
  absl::Status status = check("crop_size", config.augment.size);
  if (config.local_crops.count > 0) {
    status.Update(check("local_crop_size", config.local_crops.size));
  }
  return status;
}

}  // namespace

absl::Status ParseValue(absl::string_view text, std::string* value) {
  *value = std::string(text);
  return absl::OkStatus();
}

absl::Status ParseValue(absl::string_view text, bool* value) {
  if (text != "true" && text != "false") {
    return absl::InvalidArgumentError("must be true or false");
  }
  *value = text == "true";
  return absl::OkStatus();
}

absl::Status ParseValue(absl::string_view text, int64_t* value) {
  int64_t parsed;
  if (HasBlanks(text) || !absl::SimpleAtoi(text, &parsed)) {
    const absl::string_view digits = absl::StripPrefix(text, "-");
    const bool large =
        !digits.empty() &&
        std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit);
    return absl::InvalidArgumentError(
        large ? "is too large: a whole number has at most 64 bits"
              : "must be a whole number");
  }
  *value = parsed;
  return absl::OkStatus();
}

absl::Status ParseValue(absl::string_view text, double* value) {
  double parsed;
  if (HasBlanks(text) || !absl::SimpleAtod(text, &parsed) ||
      !std::isfinite(parsed)) {
    return absl::InvalidArgumentError("must be a number");
  }
  *value = parsed;
  return absl::OkStatus();
}

absl::Status ParseValue(absl::string_view text, Distance* value) {
  return ParseName(text, ParseDistance(text), DistanceNames(), value);
}

absl::Status ParseValue(absl::string_view text, Selection* value) {
  return ParseName(text, ParseSelection(text), SelectionNames(), value);
}

absl::Status ParseValue(absl::string_view text, PairingKind* value) {
  return ParseName(text, ParsePairingKind(text), PairingKindNames(), value);
}

std::string ValueText(const std::string& value) { return value; }

std::string ValueText(bool value) { return value ? "true" : "false"; }

std::string ValueText(int64_t value) { return absl::StrCat(value); }

std::string ValueText(double value) {
  for (int digits = 6; digits < 17; ++digits) {
    std::string text = absl::StrFormat("%.*g", digits, value);
    double back;
    if (absl::SimpleAtod(text, &back) && back == value) return text;
  }
  return absl::StrFormat("%.17g", value);
}

std::string ValueText(Distance value) {
  return std::string(DistanceName(value));
}

std::string ValueText(Selection value) {
  return std::string(SelectionName(value));
}

std::string ValueText(PairingKind value) {
  return std::string(PairingKindName(value));
}

std::string AllowedText(const Field& field) {
  if (!field.allowed.empty()) return absl::StrJoin(field.allowed, ", ");
  if (field.max != kInfinity) {
    return absl::StrCat("between ", field.min, " and ", field.max);
  }
  if (field.min == -kInfinity) return "";
  return absl::StrCat(field.above_min ? "above " : "at least ", field.min);
}

absl::Status CheckValue(const Field& field, const std::string& value) {
  const auto& allowed = field.allowed;
  if (allowed.empty() ||
      std::find(allowed.begin(), allowed.end(), value) != allowed.end()) {
    return absl::OkStatus();
  }
  return Bad(field, value, UnknownValue(value, allowed).message());
}

absl::Status CheckValue(const Field&, bool) { return absl::OkStatus(); }

absl::Status CheckValue(const Field& field, int64_t value) {
  return CheckNumber(field, value);
}

absl::Status CheckValue(const Field& field, double value) {
  return CheckNumber(field, value);
}

absl::Status Validate(const Config& config) {
  absl::Status status = CheckFields(config);
  status.Update(Ordered("crop_scale_min", config.augment.crop_scale_min,
                        "crop_scale_max", config.augment.crop_scale_max));
  status.Update(Ordered("local_crop_scale_min", config.local_crops.scale_min,
                        "local_crop_scale_max", config.local_crops.scale_max));
  if (config.local_crops.count > 0 && config.views != "shared") {
    status.Update(absl::InvalidArgumentError(absl::StrCat(
        "--local_crops=", config.local_crops.count,
        ": local crops are beside the two views of --views=shared")));
  }
  status.Update(Ordered("crop_ratio_min", config.augment.crop_ratio_min,
                        "crop_ratio_max", config.augment.crop_ratio_max));
  status.Update(Ordered("blur_sigma_min", config.augment.blur_sigma_min,
                        "blur_sigma_max", config.augment.blur_sigma_max));
  status.Update(
      Ordered("warmup_epochs", config.warmup_epochs, "epochs", config.epochs));
  if (config.unguided_epochs > 0) {
    status.Update(Ordered("unguided_epochs", config.unguided_epochs,
                          "epochs - 1", config.epochs - 1));
  }
  if (config.init_freeze_epochs > 0) {
    status.Update(Ordered("init_freeze_epochs", config.init_freeze_epochs,
                          "epochs - 1", config.epochs - 1));
  }
  if (config.pairing == PairingKind::kNearest) {
    status.Update(Ordered("pairing_candidates", config.pairing_candidates,
                          "batch_size - 1", config.batch_size - 1));
  }
  if (config.loss.margin == 1) {
    status.Update(absl::InvalidArgumentError(
        "--selection_margin=1: must be below 1; --selection=none guides no "
        "row"));
  }
  status.Update(CheckPatches(config));
  status.Update(CheckSides(config));
  status.Update(CheckNormalize(config.normalize));
  if (config.keep_best != "none" && config.knn_every == 0) {
    status.Update(absl::InvalidArgumentError(absl::StrCat(
        "--keep_best=", config.keep_best, " needs --knn_every above 0")));
  }
  if (config.knn_bank > 0) {
    status.Update(Ordered("knn_k", config.knn_k, "knn_bank", config.knn_bank));
  }
  if (config.resume && config.output_dir.empty()) {
    status.Update(absl::InvalidArgumentError(
        "--resume needs --output_dir, the folder of the run to continue"));
  }
  if (config.resume && config.overwrite) {
    status.Update(absl::InvalidArgumentError(
        "--resume continues a run and --overwrite starts it anew: give one "
        "of them"));
  }
  return status;
}

}  // namespace gsg

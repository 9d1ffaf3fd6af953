// Measures the features of a run: k-NN, linear probe, confusion.

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <cstdio>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/format.h"
#include "trainers/base/json.h"
#include "trainers/base/leave.h"
#include "trainers/base/sealed_file.h"
#include "trainers/config/field.h"
#include "trainers/config/fit.h"
#include "trainers/config/values.h"
#include "trainers/console/confusion_table.h"
#include "trainers/evaluate/classification.h"
#include "trainers/evaluate/device.h"
#include "trainers/evaluate/features.h"
#include "trainers/evaluate/knn.h"
#include "trainers/evaluate/linear_probe.h"
#include "trainers/evaluate/trained_probe.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/dataset.h"
#include "trainers/image/image_source.h"
#include "trainers/programs/evaluation_file.h"
#include "trainers/programs/image_options.h"
#include "trainers/programs/program.h"
#include "trainers/programs/run_options.h"
#include "trainers/run/saved_network.h"

namespace gsg {
namespace {

constexpr char kIntroduction[] =
    "evaluate measures the frozen features of a run on the test images of a "
    "data set,\nas the papers do (docs/evaluation.md): by their nearest "
    "neighbors among the\ntraining images, and by a linear classifier trained "
    "on those. It prints how many\nare classified right, what is taken for "
    "what, and writes both as JSON.\n\n"
    "Examples:\n"
    "  evaluate --run=runs/cifar\n"
    "  evaluate --run=runs/cifar --linear=lars\n"
    "  evaluate --run=runs/cifar --dataset=cifar100 "
    "--data_dir=cifar-100-binary\n";

struct EvaluateOptions : RunOptions, ImageOptions {
  int64_t knn_k = 0;
  double knn_temperature = 0;
  std::string linear = "lbfgs";
  int64_t probe_epochs = 0;
  int64_t probe_batch_size = 0;
  double probe_base_lr = 0;
  int64_t seed = 0;
  std::string output;
};

void ForEachField(EvaluateOptions& o, FieldVisitor visit) {
  ForEachRunField(o, visit);
  ForEachImageField(o, visit);

  constexpr absl::string_view kKnn = "Nearest neighbors";
  visit(&o.knn_k,
        Field{"knn_k", kKnn,
              "neighbors that vote; 0 = as many as in the run, or with "
              "--weights a fiftieth of the images, from 5 to 200, as a run of "
              "--recipe=photos has it"}
            .AtLeast(0));
  visit(&o.knn_temperature,
        Field{"knn_temperature", kKnn,
              "a neighbor's weight is exp(cosine / temperature); 0 = the run's"}
            .AtLeast(0));

  constexpr absl::string_view kLinear = "Linear classifier";
  visit(&o.linear,
        Field{"linear", kLinear,
              "how it is trained: lbfgs = to the optimum, quick and without "
              "choices; lars, sgd = as in the literature; none = not at all"}
            .OneOf({"lbfgs", "lars", "sgd", "none"}));
  visit(&o.probe_epochs, Field{"probe_epochs", kLinear,
                               "of lars or sgd; 0 = 90 for lars, 100 for sgd"}
                             .AtLeast(0));
  visit(&o.probe_batch_size,
        Field{"probe_batch_size", kLinear,
              "of lars or sgd; 0 = 4096 for lars, 256 for sgd"}
            .AtLeast(0));
  visit(&o.probe_base_lr,
        Field{"probe_base_lr", kLinear,
              "of lars or sgd: learning rate = this * batch size / 256; 0 = "
              "0.1"}
            .AtLeast(0));
  visit(&o.seed, Field{"seed", kLinear,
                       "of lars or sgd: initial weights and order of images"}
                     .AtLeast(0));

  constexpr absl::string_view kOutput = "Output";
  visit(&o.output, Field{"output", kOutput,
                         "JSON file to write; empty = evaluation.json in the "
                         "run's folder, for another data set "
                         "evaluation-<dataset>.json, for another folder "
                         "evaluation-<last part of its path>.json"}
                       .Path());
}

absl::Status Validate(const EvaluateOptions& options) {
  absl::Status status = CheckRun(options);
  status.Update(CheckImages(options));
  if (options.linear == "lars" || options.linear == "sgd") return status;
  const std::pair<const char*, bool> of_no_use[] = {
      {"probe_epochs", options.probe_epochs != 0},
      {"probe_batch_size", options.probe_batch_size != 0},
      {"probe_base_lr", options.probe_base_lr != 0},
      {"seed", options.seed != 0},
  };
  for (const auto& [flag, given] : of_no_use) {
    if (!given) continue;
    status.Update(absl::InvalidArgumentError(absl::StrCat(
        "--", flag, " is for --linear=lars and --linear=sgd; --linear is ",
        options.linear)));
  }
  return status;
}

// Either probe's outcome, and how it came about.
struct LinearResult {
  Classification test;
  double train_top1 = 0;
  Json how = Json::object();
};

TrainedProbeOptions ProbeOptions(const EvaluateOptions& options) {
  TrainedProbeOptions probe =
      options.linear == "lars" ? LarsProbe() : SgdProbe();
  if (options.probe_epochs > 0) probe.epochs = options.probe_epochs;
  if (options.probe_batch_size > 0) probe.batch_size = options.probe_batch_size;
  if (options.probe_base_lr > 0) probe.base_lr = options.probe_base_lr;
  probe.seed = options.seed;
  return probe;
}

absl::StatusOr<LinearResult> Linear(const EvaluateOptions& options,
                                    const Features& train, const Features& test,
                                    int64_t classes) {
  LinearResult result;
  result.how["probe"] = options.linear;
  if (options.linear == "lbfgs") {
    const LinearProbeOptions lbfgs;
    GSG_ASSIGN_OR_RETURN(LinearProbeResult probe,
                         LinearProbe(train.rows, train.labels, test.rows,
                                     test.labels, classes, lbfgs));
    result.how["l2"] = lbfgs.l2;
    result.how["iterations"] = probe.iterations;
    result.how["converged"] = probe.converged;
    result.test = std::move(probe.test);
    result.train_top1 = probe.train_top1;
    return result;
  }
  const TrainedProbeOptions how = ProbeOptions(options);
  GSG_ASSIGN_OR_RETURN(TrainedProbeResult probe,
                       TrainProbe(train.rows, train.labels, test.rows,
                                  test.labels, classes, how));
  result.how["epochs"] = how.epochs;
  result.how["batch_size"] = how.batch_size;
  result.how["base_lr"] = how.base_lr;
  result.how["standardize"] = how.standardize;
  result.how["seed"] = how.seed;
  result.test = std::move(probe.test);
  result.train_top1 = probe.train_top1;
  return result;
}

absl::Span<const int64_t> Counts(const Classification& result) {
  return {result.confusion.const_data_ptr<int64_t>(),
          static_cast<size_t>(result.confusion.numel())};
}

// Adds what was measured to what is known of how.
Json ToJson(Json how, const Classification& result) {
  how["top1"] = result.top1;
  how["top5"] = result.top5;
  const absl::Span<const int64_t> counts = Counts(result);
  const int64_t classes = result.confusion.size(0);
  how["confusion"] = Json::array();
  for (int64_t c = 0; c < classes; ++c) {
    const auto row = counts.subspan(c * classes, classes);
    how["confusion"].push_back(std::vector<int64_t>(row.begin(), row.end()));
  }
  return how;
}

void PrintRow(const std::string& name, const Classification& result) {
  absl::PrintF("%-30s %7.2f %7.2f\n", name, result.top1, result.top5);
}

// Of what the network sees, in pixels.
int64_t ImageSide(const EvaluateOptions& options, const SavedNetwork& network,
                  const ImageSource& source) {
  const int64_t side = EvaluationFor(options, network, source).side;
  return side > 0 ? side : source.fixed_size().height;
}

absl::Status Evaluate(const EvaluateOptions& options) {
  GSG_ASSIGN_OR_RETURN(c10::Device device, ChooseDevice(options.device));
  const CpuThreads cpu_threads(options.threads);
  GSG_ASSIGN_OR_RETURN(SavedNetwork network, OpenNetwork(options, device));
  GSG_ASSIGN_OR_RETURN(Dataset dataset, LoadImages(options, network));
  if (!dataset.labeled() || dataset.test == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the images of ", dataset.name,
        dataset.labeled() ? " are not split into training and test images"
                          : " have no classes",
        "; classifying needs classes and such a split. Give images in class "
        "folders with "
        "--dataset=folder --data_dir=DIR (DIR/train/<class>/ and "
        "DIR/val/<class>/; DIR may be a tar archive of them), or write "
        "features without classes with embed"));
  }

  const EvaluatedImages images = {dataset.name,
                                  PlaceOfImages(options, network.config)};
  absl::PrintF(
      "%s, evaluated on %s: %s training and %s test images\n",
      options.weights.empty()
          ? absl::StrCat(network.config.method, " on ", network.config.dataset,
                         " after ", network.state.epoch, " epochs")
          : absl::StrCat(options.weights, " (", network.config.backbone, ")"),
      NameOf(images), GroupedNumber(dataset.train->size()),
      GroupedNumber(dataset.test->size()));
  std::fflush(stdout);
  DamagedImages damaged(network.config.max_damaged,
                        DamagedImages::Limit::kOfTheRun);
  const auto features = [&](const ImageSource& source) {
    std::vector<int64_t> all(source.size());
    std::iota(all.begin(), all.end(), 0);
    return BackboneFeatures(*network.backbone, source, all,
                            EvaluationFor(options, network, source), device,
                            &damaged);
  };
  GSG_ASSIGN_OR_RETURN(Features train, features(*dataset.train));
  GSG_ASSIGN_OR_RETURN(Features test, features(*dataset.test));
  WarnOfDamaged(damaged, 0);

  const int64_t classes = dataset.classes.size();
  KnnOptions knn_options = {network.config.knn_k,
                            network.config.knn_temperature};
  if (!options.weights.empty()) {
    knn_options.k = FittedNeighbors(dataset.train->size());
  }
  if (options.knn_k > 0) knn_options.k = options.knn_k;
  if (options.knn_temperature > 0) {
    knn_options.temperature = options.knn_temperature;
  }
  absl::PrintF("\n%-30s %7s %7s\n", "", "top-1", "top-5");
  GSG_ASSIGN_OR_RETURN(Classification knn,
                       KnnClassify(train.rows, train.labels, test.rows,
                                   test.labels, classes, knn_options));
  PrintRow(absl::StrCat("k-NN (k = ", knn_options.k,
                        ", t = ", ValueText(knn_options.temperature), ")"),
           knn);
  std::fflush(stdout);
  std::optional<LinearResult> linear;
  if (options.linear != "none") {
    GSG_ASSIGN_OR_RETURN(LinearResult probe,
                         Linear(options, train, test, classes));
    linear = std::move(probe);
    PrintRow(absl::StrCat("linear (", options.linear, ")"), linear->test);
  }
  absl::PrintF(
      "\nWhat the %s took for what: a row is a class, a column what its images "
      "were taken for.\n%s",
      linear.has_value() ? "linear classifier" : "nearest neighbors",
      ConfusionTable(Counts(linear.has_value() ? linear->test : knn),
                     dataset.classes));

  Json json;
  json["checkpoint"] = NetworkPath(options);
  json["method"] = network.config.method;
  json["epoch"] = network.state.epoch;
  AddImages(images, &json);
  json["image_size"] = ImageSide(options, network, *dataset.test);
  json["train_images"] = train.rows.size(0);
  json["test_images"] = test.rows.size(0);
  json["features"] = train.rows.size(1);
  json["classes"] = dataset.classes;
  json["knn"] = ToJson(
      {{"k", knn_options.k}, {"temperature", knn_options.temperature}}, knn);
  if (linear.has_value()) {
    linear->how["train_top1"] = linear->train_top1;
    json["linear"] = ToJson(std::move(linear->how), linear->test);
  }
  const std::string output =
      options.output.empty()
          ? EvaluationPath(RunFolder(options), network.config, images)
          : options.output;
  GSG_RETURN_IF_ERROR(
      WriteFileAtomically(output, absl::StrCat(JsonText(json), "\n")));
  absl::PrintF("\nWritten to %s\n", output);
  return absl::OkStatus();
}

}  // namespace
}  // namespace gsg

int main(int argc, char** argv) {
  gsg::Program<gsg::EvaluateOptions> program = {"evaluate", gsg::kIntroduction,
                                                gsg::Evaluate};
  program.memory_advice = gsg::kFewerThreads;
  gsg::Leave(gsg::ProgramMain(program, argc, argv));
}

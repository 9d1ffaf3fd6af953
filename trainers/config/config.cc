#include "trainers/config/config.h"

#include "absl/strings/string_view.h"
#include "trainers/config/field.h"
#include "trainers/image/image.h"

namespace gsg {

void ForEachField(Config& c, FieldVisitor visit) {
  const auto allow = OnResume::kAllow;

  constexpr absl::string_view kRun = "Run";
  visit(&c.recipe,
        Field{"recipe", kRun,
              "named set of values to start from, see --list_recipes"});
  visit(&c.output_dir,
        Field{"output_dir", kRun,
              "folder for config, metrics and checkpoints; empty = "
              "gsg_runs/<method>-<recipe>-<time>-<random>"}
            .Path()
            .ThisInvocation()
            .Resume(allow));
  visit(&c.seed, Field{"seed", kRun, "fixes every random choice"}.AtLeast(0));
  visit(&c.fit,
        Field{"fit", kRun,
              "before training, fit network, sizes, epochs and loader_threads "
              "to the images and the machine; what a flag or --config says "
              "stays"});
  visit(&c.device, Field{"device", kRun, "auto = cuda if there is one, or cpu"}
                       .OneOf({"auto", "cpu", "cuda"})
                       .Resume(OnResume::kWarn));
  visit(&c.precision,
        Field{"precision", kRun,
              "of convolutions and matrix products in training; weights and "
              "what adds up are float32. auto = bfloat16 on a GPU, float32 on "
              "a CPU"}
            .OneOf({"auto", "float32", "bfloat16"})
            .Resume(OnResume::kWarn));
  visit(
      &c.data_on_gpu,
      Field{"data_on_gpu", kRun,
            "on a GPU: keep images that are in memory there as bytes, and "
            "augment them there; the views are the CPU's to rounding. Folders "
            "are read, decoded and augmented by the CPU"}
          .Resume(OnResume::kWarn));
  visit(&c.cuda_graph,
        Field{"cuda_graph", kRun,
              "on a GPU: record the operations of a step once and replay them; "
              "not with several processes or --pairing=nearest"}
            .Resume(OnResume::kWarn));
  visit(&c.threads,
        Field{"threads", kRun, "CPU threads to compute with, 0 = all"}
            .Between(0, 1024)
            .Resume(OnResume::kWarn));
  visit(&c.resume, Field{"resume", kRun, "continue the run in --output_dir"}
                       .ThisInvocation()
                       .Resume(allow));
  visit(&c.overwrite,
        Field{"overwrite", kRun, "start anew in an --output_dir that has a run"}
            .ThisInvocation()
            .Resume(allow));
  visit(&c.checkpoint_minutes,
        Field{"checkpoint_minutes", kRun,
              "save also within an epoch, every so many minutes; 0 = only "
              "after each epoch"}
            .AtLeast(0)
            .Resume(allow));
  visit(&c.keep,
        Field{"keep", kRun,
              "checkpoints that are kept: the last and those before it"}
            .Between(1, 1000)
            .Resume(allow));
  visit(&c.keep_every,
        Field{"keep_every", kRun,
              "keep the checkpoint of every so many epochs for good, as "
              "checkpoint-epoch-<epoch>.pt; 0 = of none"}
            .AtLeast(0)
            .Resume(allow));
  visit(&c.keep_best,
        Field{"keep_best", kRun,
              "keep the checkpoint of the epoch with the best k-NN, as "
              "checkpoint-best.pt; with --validation=N that is of images held "
              "out, else of the test images"}
            .OneOf({"none", "knn_top1"})
            .Resume(allow));
  visit(&c.tensorboard,
        Field{"tensorboard", kRun,
              "write what metrics.jsonl has as TensorBoard's event files, too, "
              "in --output_dir"}
            .Resume(allow));
  visit(&c.nproc,
        Field{"nproc", kRun,
              "processes to train with on this machine, a part of each batch "
              "each (torchrun, srun and mpirun start their own)"}
            .Between(1, 1024)
            .ThisInvocation()
            .Resume(allow));
  visit(&c.dist_timeout,
        Field{"dist_timeout", kRun,
              "seconds after which a silent process is given up and the others "
              "end"}
            .Above(0)
            .ThisInvocation()
            .Resume(allow));

  constexpr absl::string_view kData = "Data";
  visit(&c.dataset,
        Field{"dataset", kData, "images to learn from"}.OneOf(
            {"fashion_mnist", "mnist", "cifar10", "cifar100", "folder"}));
  visit(&c.data_dir, Field{"data_dir", kData,
                           "folder with the data set's files, for --dataset="
                           "folder several with commas between them, or tar "
                           "archives (shard-{000..146}.tar); empty = the copy "
                           "that comes with the program (fashion_mnist)"}
                         .KeptPath()
                         .List()
                         .Resume(allow));
  visit(&c.data_list,
        Field{"data_list", kData,
              "file that lists the images of --dataset=folder, in the place of "
              "--data_dir: a path a line, or CSV with path, label, split"}
            .KeptPath()
            .Resume(allow));
  visit(&c.channels,
        Field{"channels", kData,
              "what the images of --dataset=folder are converted to: 3 = "
              "color, 1 = gray; another number: the channels that all of them "
              "have, such as a satellite's bands in TIFF"}
            .Between(1, kMaxChannels));
  visit(&c.loader_threads,
        Field{"loader_threads", kData,
              "threads that prepare batches, 0 = as many as keep up with the "
              "network"}
            .Between(0, 1024)
            .Resume(allow));

  visit(&c.normalize,
        Field{"normalize", kData,
              "mean and deviation that pixels are normalized with: imagenet's, "
              "those measured of the training images, or MEAN:STD of each "
              "channel, as 0.5:0.25 or 0.49,0.48,0.45:0.25,0.24,0.26; auto = "
              "imagenet for folders, measured for others"});
  visit(&c.validation,
        Field{"validation", kData,
              "hold out so many training images, as many of each class, and "
              "score on them instead of on the test images, to make choices; 0 "
              "= none"}
            .AtLeast(0));
  visit(&c.max_damaged,
        Field{"max_damaged", kData,
              "part of the images that may be damaged, at least 10 or half of "
              "them; they are left out. More end the run; 0 = none may be"}
            .Between(0, 1)
            .Resume(allow));

  constexpr absl::string_view kMethod = "Method";
  visit(&c.views,
        Field{"views", kMethod,
              "the second image's views: shared = another image of the batch "
              "lends its two views, four = two further views, as the authors"}
            .OneOf({"shared", "four"}));
  visit(&c.pairing,
        Field{"pairing", kMethod,
              "which image is the second: cyclic = never the image itself, "
              "random = any permutation, as the authors; nearest = the closest "
              "of some others"}
            .OneOf(PairingKindNames()));
  visit(
      &c.pairing_candidates,
      Field{"pairing_candidates", kMethod,
            "of --pairing=nearest: how many other images the closest is taken "
            "from, below --batch_size"}
          .AtLeast(1));
  visit(&c.pairing_scope,
        Field{"pairing_scope", kMethod,
              "among which images, with several processes: rank = those of its "
              "own part of the batch, world = the whole batch"}
            .OneOf({"rank", "world"}));
  visit(&c.loss.distance,
        Field{"distance", kMethod,
              "between the projections of the two images' views"}
            .OneOf(DistanceNames()));
  visit(&c.loss.selection,
        Field{"selection", kMethod,
              "which of the four cross-image pairs are the sources; none = no "
              "guidance, SimSiam's loss; soft = the closer the more weight; "
              "margin = min where one is clearly the closest, else none"}
            .OneOf(SelectionNames()));
  visit(&c.loss.temperature,
        Field{"selection_temperature", kMethod,
              "of --selection=soft, in units of the distance; near 0 that is "
              "min, and the larger the more like none"}
            .Above(0));
  visit(&c.loss.margin,
        Field{"selection_margin", kMethod,
              "of --selection=margin: the part by which the closest pair must "
              "be closer than the next, below 1"}
            .Between(0, 1));
  visit(&c.unguided_epochs,
        Field{"unguided_epochs", kMethod,
              "epochs before guidance sets in, in which all views are sources, "
              "as with --selection=none; below --epochs"}
            .AtLeast(0));
  visit(&c.target_momentum,
        Field{"target_momentum", kMethod,
              "of BYOL's momentum encoder: how much of itself it keeps in a "
              "step"}
            .Between(0, 1));
  visit(&c.target_momentum_schedule,
        Field{"target_momentum_schedule", kMethod,
              "constant, or cosine = rises to 1 over the run"}
            .OneOf({"constant", "cosine"}));

  constexpr absl::string_view kModel = "Model";
  visit(&c.backbone, Field{"backbone", kModel, "encoder"}.OneOf(
                         {"resnet18", "resnet34", "resnet50", "resnet101",
                          "wide_resnet50_2", "resnet_small", "convnext_tiny",
                          "vit_tiny", "vit_small", "vit_base"}));
  visit(&c.init,
        Field{"init", kModel,
              "file with the backbone's weights to start from, of torchvision "
              "(.pth) or timm (.safetensors), or a checkpoint of DINO, MoCo or "
              "a run; a resumed run does not read it"}
            .KeptPath());
  visit(&c.init_sha256,
        Field{"init_sha256", kModel,
              "of that file; another ends the run. Filled in if it is empty"});
  visit(&c.init_freeze_epochs,
        Field{"init_freeze_epochs", kModel,
              "first epochs in which the backbone keeps the weights of --init "
              "and only projector and predictor are trained; below --epochs"}
            .AtLeast(0));
  visit(&c.stem, Field{"stem", kModel,
                       "first layers: imagenet = a resnet's 7x7 stride 2 and "
                       "max-pool or a convnext's 4x4 stride 4, small = 3x3 "
                       "stride 1, small_stride2 = 3x3 stride 2"}
                     .OneOf({"imagenet", "small", "small_stride2"}));
  visit(&c.zero_init_residual,
        Field{"zero_init_residual", kModel,
              "start the last BatchNorm of each residual block at zero"});
  visit(&c.patch_size,
        Field{"patch_size", kModel,
              "side of the patches that a vit cuts a view into, in pixels; "
              "crop_size is a multiple of it. 0 = 4, for views from 56 pixels "
              "on 8, from 112 on 16"}
            .Between(0, 1024));
  visit(&c.projector_layers,
        Field{"projector_layers", kModel, "linear layers of the projector"}
            .Between(2, 3));
  visit(&c.projector_hidden,
        Field{"projector_hidden", kModel, "width of its hidden layers"}.Between(
            1, 65536));
  visit(&c.projector_dim,
        Field{"projector_dim", kModel, "dimensions of a projection"}.Between(
            1, 65536));
  visit(&c.predictor,
        Field{"predictor", kModel,
              "mlp, or none = the projections are the predictions"}
            .OneOf({"mlp", "none"}));
  visit(&c.predictor_hidden, Field{"predictor_hidden", kModel,
                                   "width of the predictor's hidden layer"}
                                 .Between(1, 65536));

  constexpr absl::string_view kOptimizer = "Optimizer";
  visit(&c.epochs,
        Field{"epochs", kOptimizer,
              "passes over the training images; with --resume it may be raised"}
            .Between(1, 100000)
            .Resume(OnResume::kRaise));
  visit(&c.minutes,
        Field{"minutes", kOptimizer,
              "train as many epochs as the run ends in about so many minutes "
              "with, from its start to its report; 0 = --epochs"}
            .Between(0, 100000));
  visit(&c.max_steps,
        Field{"max_steps", kOptimizer,
              "stop after so many steps of the schedule, 0 = no limit"}
            .AtLeast(0)
            .Resume(allow));
  visit(&c.batch_size,
        Field{"batch_size", kOptimizer, "images a batch"}.AtLeast(2));
  visit(&c.accumulate,
        Field{"accumulate", kOptimizer,
              "batches whose gradients make a step: with N, one of N times "
              "--batch_size in the memory of one, but for BatchNorm's "
              "statistics and the pairs, which are those of a batch"}
            .Between(1, 4096));
  visit(
      &c.optimizer.name,
      Field{"optimizer", kOptimizer,
            "sgd with momentum, lars = the same with a rate for each layer, or "
            "adamw"}
          .OneOf({"sgd", "lars", "adamw"}));
  visit(&c.base_lr,
        Field{"base_lr", kOptimizer,
              "learning rate = base_lr * batch_size * accumulate / 256, "
              "falling to 0 along a cosine"}
            .Above(0));
  visit(
      &c.optimizer.momentum,
      Field{"momentum", kOptimizer, "momentum of the gradient, in sgd and lars"}
          .Between(0, 1));
  visit(&c.optimizer.lars_coefficient,
        Field{"lars_coefficient", kOptimizer,
              "trust coefficient of LARS: a layer's step is this part of its "
              "weights' norm, times the learning rate"}
            .Above(0));
  visit(&c.optimizer.adam_beta1,
        Field{"adam_beta1", kOptimizer,
              "of adamw: how much of its mean gradient it keeps in a step"}
            .Between(0, 0.99999));
  visit(&c.optimizer.adam_beta2,
        Field{"adam_beta2", kOptimizer,
              "of adamw: how much of its mean squared gradient it keeps in a "
              "step"}
            .Between(0, 0.99999));
  visit(&c.optimizer.weight_decay,
        Field{"weight_decay", kOptimizer,
              "L2 penalty; with adamw it shrinks the weights directly, by this "
              "times the learning rate"}
            .AtLeast(0));
  visit(&c.warmup_epochs,
        Field{"warmup_epochs", kOptimizer,
              "epochs in which the learning rate rises linearly"}
            .AtLeast(0));
  visit(&c.constant_predictor_lr,
        Field{"constant_predictor_lr", kOptimizer,
              "keep the predictor's learning rate off the cosine"});
  visit(&c.optimizer.decay_bias_and_norm,
        Field{"decay_bias_and_norm", kOptimizer,
              "weight decay also on biases, norms, a vit's class token and "
              "position embeddings, and a convnext's layer scales"});

  constexpr absl::string_view kAugmentation = "Augmentation";
  visit(&c.augment.size,
        Field{"crop_size", kAugmentation, "side of a view in pixels"}.Between(
            8, 1024));
  visit(&c.augment.crop_scale_min, Field{"crop_scale_min", kAugmentation,
                                         "smallest crop, part of the area"}
                                       .Between(0.001, 1));
  visit(&c.augment.crop_scale_max,
        Field{"crop_scale_max", kAugmentation, "largest crop, part of the area"}
            .Between(0.001, 1));
  visit(&c.local_crops.count,
        Field{"local_crops", kAugmentation,
              "multi-crop: further, smaller views of each image, which predict "
              "the two large ones and are no targets; with --views=shared"}
            .Between(0, 64));
  visit(&c.local_crops.size, Field{"local_crop_size", kAugmentation,
                                   "of --local_crops: side of each in pixels"}
                                 .Between(8, 1024));
  visit(&c.local_crops.scale_min,
        Field{"local_crop_scale_min", kAugmentation,
              "of --local_crops: smallest crop, part of the area"}
            .Between(0.001, 1));
  visit(&c.local_crops.scale_max,
        Field{"local_crop_scale_max", kAugmentation,
              "of --local_crops: largest crop, part of the area"}
            .Between(0.001, 1));
  visit(&c.augment.crop_ratio_min,
        Field{"crop_ratio_min", kAugmentation, "narrowest crop, width/height"}
            .Between(0.01, 100));
  visit(&c.augment.crop_ratio_max,
        Field{"crop_ratio_max", kAugmentation, "widest crop, width/height"}
            .Between(0.01, 100));
  visit(&c.augment.hflip_prob,
        Field{"hflip_prob", kAugmentation, "chance of a mirror image"}.Between(
            0, 1));
  visit(&c.augment.vflip_prob,
        Field{"vflip_prob", kAugmentation, "chance of a view upside down"}
            .Between(0, 1));
  visit(&c.augment.rotate_prob,
        Field{"rotate_prob", kAugmentation,
              "chance of a turn by 90, 180 or 270 degrees"}
            .Between(0, 1));
  visit(&c.augment.jitter_prob,
        Field{"jitter_prob", kAugmentation,
              "chance of jitter: brightness, contrast, saturation, hue, gamma "
              "and tone curve"}
            .Between(0, 1));
  visit(&c.augment.brightness,
        Field{"brightness", kAugmentation,
              "factor drawn from 1 - brightness to 1 + brightness"}
            .AtLeast(0));
  visit(&c.augment.contrast,
        Field{"contrast", kAugmentation,
              "factor drawn from 1 - contrast to 1 + contrast"}
            .AtLeast(0));
  visit(&c.augment.saturation,
        Field{"saturation", kAugmentation,
              "factor drawn from 1 - saturation to 1 + saturation"}
            .AtLeast(0));
  visit(&c.augment.hue,
        Field{"hue", kAugmentation,
              "shift drawn from -hue to hue, in turns of the wheel"}
            .Between(0, 0.5));
  visit(&c.augment.gamma,
        Field{"gamma", kAugmentation,
              "pixels to the power exp(u), u from -gamma to gamma"}
            .AtLeast(0));
  visit(&c.augment.tone_curve,
        Field{"tone_curve", kAugmentation,
              "strength of a random curve that maps pixel values"}
            .Between(0, 1));
  visit(&c.augment.grayscale_prob,
        Field{"grayscale_prob", kAugmentation, "chance of no color"}.Between(
            0, 1));
  visit(&c.augment.blur_prob,
        Field{"blur_prob", kAugmentation, "chance of Gaussian blur"}.Between(
            0, 1));
  visit(
      &c.augment.blur_sigma_min,
      Field{"blur_sigma_min", kAugmentation, "least blur, in pixels"}.Above(0));
  visit(
      &c.augment.blur_sigma_max,
      Field{"blur_sigma_max", kAugmentation, "most blur, in pixels"}.Above(0));
  visit(&c.augment.solarize_prob,
        Field{"solarize_prob", kAugmentation,
              "chance of inverting the bright half of the scale"}
            .Between(0, 1));

  constexpr absl::string_view kEvaluation = "Evaluation";
  visit(
      &c.knn_k,
      Field{"knn_k", kEvaluation, "neighbors of the weighted k-NN"}.AtLeast(1));
  visit(&c.knn_temperature,
        Field{"knn_temperature", kEvaluation,
              "a neighbor's weight is exp(cosine / temperature)"}
            .Above(0));
  visit(&c.knn_every, Field{"knn_every", kEvaluation,
                            "epochs between k-NN evaluations, 0 = only before "
                            "and after training"}
                          .AtLeast(0));
  visit(&c.knn_bank, Field{"knn_bank", kEvaluation,
                           "training images in each epoch's k-NN, 0 = all"}
                         .AtLeast(0));
  visit(&c.knn_queries, Field{"knn_queries", kEvaluation,
                              "test images in each epoch's k-NN, 0 = all"}
                            .AtLeast(0));
  visit(&c.linear_probe,
        Field{"linear_probe", kEvaluation,
              "train a linear classifier on the frozen features at the end"});
  visit(&c.baselines,
        Field{"baselines", kEvaluation,
              "before training, measure raw pixels and the untrained network"});
  visit(&c.stop_on_collapse,
        Field{"stop_on_collapse", kEvaluation,
              "end the run when the features collapse; else only warn"});
  visit(&c.collapse_threshold,
        Field{"collapse_threshold", kEvaluation,
              "they have when feature_std (1 = spread, 0 = collapsed) is below "
              "this"}
            .Between(0, 1));
}

}  // namespace gsg

#include "trainers/config/resume.h"

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trainers/config/config.h"
#include "trainers/config/field.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Config Saved() {
  Config config;
  config.method = "simsiam_gsg";
  config.output_dir = "/old/place";
  config.overwrite = true;
  config.epochs = 7;
  return config;
}

// A command line of --resume --output_dir=/runs/a and no more.
Config Now() {
  Config config;
  config.method = "simsiam_gsg";
  config.output_dir = "/runs/a";
  config.resume = true;
  return config;
}

TEST(DifferingFieldsTest, NamesEachWithBothValues) {
  Config now = Saved();
  EXPECT_THAT(DifferingFields(Saved(), now), IsEmpty());
  now.method = "byol";
  now.threads = 2;
  now.base_lr = 0.25;
  now.linear_probe = true;
  const auto differences = DifferingFields(Saved(), now);
  ASSERT_EQ(differences.size(), 4u);
  EXPECT_EQ(differences[0].name, "method");
  EXPECT_EQ(differences[0].saved, "simsiam_gsg");
  EXPECT_EQ(differences[0].now, "byol");
  EXPECT_EQ(differences[0].on_resume, OnResume::kRefuse);
  EXPECT_EQ(differences[1].name, "threads");
  EXPECT_EQ(differences[1].on_resume, OnResume::kWarn);
  EXPECT_EQ(differences[2].name, "base_lr");
  EXPECT_EQ(differences[2].saved, "0.05");
  EXPECT_EQ(differences[2].now, "0.25");
  EXPECT_EQ(differences[3].name, "linear_probe");
  EXPECT_EQ(differences[3].now, "true");
}

TEST(FieldsTest, WhatMayChangeOnResume) {
  std::vector<std::string> allow, warn;
  VisitFields(Config(), [&](const auto&, const Field& field) {
    if (field.on_resume == OnResume::kAllow) allow.emplace_back(field.name);
    if (field.on_resume == OnResume::kWarn) warn.emplace_back(field.name);
  });
  EXPECT_THAT(allow, ElementsAre("output_dir", "resume", "overwrite",
                                 "checkpoint_minutes", "keep", "keep_every",
                                 "keep_best", "tensorboard", "nproc",
                                 "dist_timeout", "data_dir", "data_list",
                                 "loader_threads", "max_damaged", "max_steps"));
  EXPECT_THAT(warn, ElementsAre("device", "precision", "data_on_gpu",
                                "cuda_graph", "threads"));
}

TEST(ConfigForResumeTest, KeepsTheRunsSettings) {
  const auto config = ConfigForResume(Saved(), Now(), {"resume", "output_dir"});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->epochs, 7);  // Not the default of Now().
  EXPECT_EQ(config->output_dir, "/runs/a");
  EXPECT_TRUE(config->resume);
  EXPECT_FALSE(config->overwrite);
}

TEST(ConfigForResumeTest, TakesGivenFlagsThatMayChange) {
  Config now = Now();
  now.threads = 2;
  now.max_steps = 50;
  now.epochs = 7;
  const auto config =
      ConfigForResume(Saved(), now, {"threads", "max_steps", "epochs"});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->threads, 2);
  EXPECT_EQ(config->max_steps, 50);
}

TEST(ConfigForResumeTest, RefusesAnotherRun) {
  Config now = Now();
  now.batch_size = 256;
  now.views = "four";
  const auto config = ConfigForResume(Saved(), now, {"batch_size"});
  EXPECT_EQ(config.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(config.status().message(),
            "--resume cannot change batch_size=256 (the run has 512); leave "
            "that out, or start a new run in another --output_dir");
}

// Nothing that may be left out makes it go on.
TEST(ConfigForResumeTest, NamesTheProgramOfAnotherMethod) {
  Config now = Now();
  now.method = "byol";
  const auto config = ConfigForResume(Saved(), now, {});
  EXPECT_EQ(config.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(config.status().message(),
            "--resume: the run has simsiam_gsg, and this program byol; go on "
            "with\n  ./bazelw run //trainers:simsiam_gsg -- --resume "
            "--output_dir=/runs/a");
}

// The run's own --minutes have become epochs.
TEST(ConfigForResumeTest, RefusesMinutesAndNamesTheEpochs) {
  Config now = Now();
  now.minutes = 1;
  EXPECT_EQ(ConfigForResume(Saved(), now, {"minutes"}).status().message(),
            "--resume cannot change minutes=1 (the run has 7 epochs; --epochs "
            "changes that); leave that out, or start a new run in another "
            "--output_dir");
}

}  // namespace
}  // namespace gsg

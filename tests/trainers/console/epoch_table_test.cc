#include "trainers/console/epoch_table.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

TEST(EpochTableTest, ColumnsAlign) {
  EpochSummary summary;
  summary.epoch = 3;
  summary.loss = -0.73124;
  summary.knn = 0.812;
  summary.feature_std = 0.9119;
  summary.effective_rank = 45.31;
  summary.pairs = {0.27, 0.24, 0.25, 0.24};
  summary.images_per_second = 1234.2;
  summary.time = absl::Seconds(252);
  EXPECT_EQ(EpochHeader(),
            "epoch      loss  k-NN %  spread    rank       pairs %  images/s "
            "       time");
  EXPECT_EQ(EpochLine(summary),
            "    3   -0.7312    81.2   0.912    45.3   27 24 25 24     1,234 "
            " 4 min 12 s");
}

TEST(EpochTableTest, WhatWasNotMeasuredIsADash) {
  EXPECT_EQ(EpochLine(EpochSummary()),
            "    0         -       -       -       -             -         - "
            "      0.0 s");
}

TEST(EpochTableTest, ExtremesKeepTheColumns) {
  EpochSummary summary;
  summary.epoch = 99999;
  summary.loss = -1;
  summary.knn = 1;
  summary.feature_std = 1;
  summary.effective_rank = 2048;
  summary.pairs = {1, 0, 0, 0};
  summary.images_per_second = 1234567;
  summary.time = absl::Hours(24 * 99);
  EXPECT_EQ(EpochLine(summary).size(), EpochHeader().size());
}

}  // namespace
}  // namespace gsg

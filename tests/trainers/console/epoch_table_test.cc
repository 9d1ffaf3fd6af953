#include "trainers/console/epoch_table.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trainers/run/epoch_record.h"

namespace gsg {
namespace {

TEST(EpochTableTest, ColumnsAlign) {
  EpochRecord record;
  record.epoch = 3;
  record.loss = -0.73124;
  record.knn_top1 = 81.2;
  record.feature_std = 0.9119;
  record.effective_rank = 45.31;
  record.pair_share = {0.27, 0.24, 0.25, 0.24};
  record.images_per_second = 1234.2;
  EXPECT_EQ(EpochHeader(),
            "epoch      loss  k-NN %     std    rank       pairs %  images/s "
            "       time");
  EXPECT_EQ(EpochLine(record, absl::Seconds(252)),
            "    3   -0.7312    81.2   0.912    45.3   27 24 25 24     1,234 "
            " 4 min 12 s");
}

TEST(EpochTableTest, WhatWasNotMeasuredIsADash) {
  EXPECT_EQ(EpochLine(EpochRecord(), absl::ZeroDuration()),
            "    0         -       -       -       -             -         - "
            "      0.0 s");
}

TEST(EpochTableTest, ExtremesKeepTheColumns) {
  EpochRecord record;
  record.epoch = 99999;
  record.loss = -1;
  record.knn_top1 = 100;
  record.feature_std = 1;
  record.effective_rank = 2048;
  record.pair_share = {1, 0, 0, 0};
  record.images_per_second = 1234567;
  EXPECT_EQ(EpochLine(record, absl::Hours(24 * 99)).size(),
            EpochHeader().size());
}

}  // namespace
}  // namespace gsg

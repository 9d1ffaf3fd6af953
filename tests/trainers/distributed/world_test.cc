#include "trainers/distributed/world.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <c10/core/MemoryFormat.h>
#include <signal.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/distributed/ranks.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Of those that ended well.
std::vector<std::string> Texts(const std::vector<RankOutcome>& outcomes) {
  std::vector<std::string> texts;
  for (const RankOutcome& outcome : outcomes) {
    EXPECT_EQ(outcome.code, 0);
    texts.push_back(outcome.text);
  }
  return texts;
}

TEST(WorldTest, OneRankIsAlone) {
  World world;
  EXPECT_EQ(world.size(), 1);
  EXPECT_TRUE(world.root());
  std::vector<double> values = {3};
  EXPECT_TRUE(world.AgreeAndSum(absl::OkStatus(), &values).ok());
  EXPECT_THAT(values, ElementsAre(3));
  EXPECT_EQ(world.FromRoot(std::string("x")).value(), "x");
  EXPECT_EQ(world.Agree(absl::DataLossError("no")), absl::DataLossError("no"));
  EXPECT_TRUE(world.WaitForRoot().ok());
}

TEST(WorldTest, Parts) {
  // 10 items in order: 0 1 2 | 3 4 | 5 6 7 | 8 9 would do, too; this is
  // floor(count * rank / size).
  EXPECT_THAT(Texts(RunRanks(4,
                             [](World& world) {
                               const auto part = world.Part(10);
                               return absl::StrCat(part.begin, "-", part.end);
                             })),
              ElementsAre("0-2", "2-5", "5-7", "7-10"));
}

TEST(WorldTest, WhatTheySay) {
  const auto texts = Texts(RunRanks(3, [](World& world) {
    std::vector<double> values = {1, 10.0 * world.rank()};
    EXPECT_TRUE(world.AgreeAndSum(absl::OkStatus(), &values).ok());
    const auto from_root =
        world.FromRoot(absl::StrCat("root is ", world.rank()));
    const auto empty = world.FromRoot(std::string());
    const auto all = world.Exchange(std::string(world.rank(), 'x'));
    const auto none = world.Exchange("");
    EXPECT_EQ(none->size(), 3u);
    const at::Tensor gathered =
        world.AllGather(at::full({2}, world.rank(), at::kLong));
    return absl::StrCat(absl::StrJoin(values, ","), " ", *from_root, *empty,
                        " ", absl::StrJoin(*all, ","), " ",
                        gathered.sizes().size(), gathered[2][1].item<int>());
  }));
  for (const std::string& text : texts) {
    EXPECT_EQ(text, "3,30 root is 0 ,x,xx 22");
  }
}

TEST(WorldTest, TensorsFromAndToTheRoot) {
  const auto texts = Texts(RunRanks(3, [](World& world) {
    // In a layout that is not contiguous, as convolutions have.
    const at::Tensor tensor = at::arange(16, at::kFloat)
                                  .view({1, 2, 2, 4})
                                  .add(100 * world.rank())
                                  .contiguous(at::MemoryFormat::ChannelsLast);
    EXPECT_TRUE(world.CopyFromRoot({tensor}).ok());
    EXPECT_TRUE(tensor.equal(at::arange(16, at::kFloat).view({1, 2, 2, 4})));
    // Rank 1 has no rows.
    const at::Tensor rows =
        at::full({world.rank() == 1 ? 0 : world.rank() + 1, 2}, world.rank(),
                 at::kFloat);
    const auto all = world.GatherAtRoot(rows);
    if (!world.root()) return std::string(all->defined() ? "?" : "none");
    std::string text;
    for (int64_t i = 0; i < all->size(0); ++i) {
      absl::StrAppend(&text, (*all)[i][1].item<float>(), " ");
    }
    return text;
  }));
  EXPECT_THAT(texts, ElementsAre("0 2 2 2 ", "none", "none"));
}

TEST(WorldTest, OneErrorEndsAll) {
  const auto texts = Texts(RunRanks(3, [](World& world) {
    const absl::Status fine = world.Agree(absl::OkStatus());
    const absl::Status status = world.Agree(
        world.rank() == 1 ? absl::DataLossError("mine") : absl::OkStatus());
    return absl::StrCat(fine.ok(), " ", absl::StatusCodeToString(status.code()),
                        " ", status.message().substr(0, 7));
  }));
  EXPECT_THAT(texts, ElementsAre("1 ABORTED another", "1 DATA_LOSS mine",
                                 "1 ABORTED another"));
}

TEST(WorldTest, OfSeveralErrorsTheFirstRanksIsTold) {
  const auto texts = Texts(RunRanks(4, [](World& world) {
    const absl::Status status = world.Agree(
        world.rank() % 2 == 1 ? absl::DataLossError("mine") : absl::OkStatus());
    return std::string(absl::StatusCodeToString(status.code()));
  }));
  EXPECT_THAT(texts, ElementsAre("ABORTED", "DATA_LOSS", "ABORTED", "ABORTED"));
}

TEST(WorldTest, ARootWithoutAnAnswer) {
  const auto texts = Texts(RunRanks(2, [](World& world) {
    return std::string(absl::StatusCodeToString(
        world.FromRoot(absl::NotFoundError("nothing")).status().code()));
  }));
  EXPECT_THAT(texts, ElementsAre("NOT_FOUND", "ABORTED"));
}

TEST(WorldTest, WaitingOutlastsTheTimeout) {
  const auto texts = Texts(RunRanks(
      2,
      [](World& world) {
        if (world.root()) absl::SleepFor(absl::Seconds(3));
        const absl::Status status = world.WaitForRoot();
        return absl::StrCat(status.ok(), world.Agree(absl::OkStatus()).ok());
      },
      /*timeout=*/absl::Seconds(1)));
  EXPECT_THAT(texts, ElementsAre("11", "11"));
}

// Whichever rank is killed, the others know at once, whatever the time-out.
TEST(WorldTest, OneIsKilled) {
  for (const int victim : {0, 2}) {
    const std::vector<RankOutcome> outcomes =
        RunRanks(3, [victim](World& world) {
          EXPECT_TRUE(world.Agree(absl::OkStatus()).ok());
          if (world.rank() == victim) raise(SIGKILL);
          const absl::Status status = world.Agree(absl::OkStatus());
          EXPECT_TRUE(absl::IsUnavailable(status)) << status;
          return std::string(status.message());
        });
    for (int rank = 0; rank < 3; ++rank) {
      if (rank == victim) {
        EXPECT_EQ(outcomes[rank].code, 128 + SIGKILL);
        continue;
      }
      EXPECT_EQ(outcomes[rank].code, 0);
      EXPECT_THAT(outcomes[rank].text,
                  HasSubstr(absl::StrCat("rank ", rank,
                                         " of 3 lost contact with another")));
    }
  }
}

// A rank may write to one that has just ended. Whether it does in the test
// above is chance.
TEST(WorldTest, ABrokenConnectionIsNoSignal) {
  EXPECT_THAT(Texts(RunRanks(2,
                             [](World&) {
                               raise(SIGPIPE);
                               return std::string("alive");
                             })),
              ElementsAre("alive", "alive"));
}

TEST(WorldTest, ASilentOneIsGivenUp) {
  const std::vector<RankOutcome> outcomes = RunRanks(
      2,
      [](World& world) {
        if (world.rank() == 1) absl::SleepFor(absl::Seconds(3));
        const absl::Time start = absl::Now();
        const absl::Status status = world.Agree(absl::OkStatus());
        if (world.root()) {
          EXPECT_TRUE(absl::IsUnavailable(status)) << status;
          EXPECT_LT(absl::Now() - start, absl::Seconds(3));
        }
        return std::string(status.message());
      },
      /*timeout=*/absl::Seconds(1));
  EXPECT_THAT(outcomes[0].text, HasSubstr("silent for 1s (--dist_timeout)"));
}

}  // namespace
}  // namespace gsg

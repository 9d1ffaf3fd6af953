#include "trainers/distributed/environment.h"

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

using ::testing::HasSubstr;

using Variables = std::map<std::string, std::string>;

absl::StatusOr<Placement> Read(const Variables& variables) {
  return ReadPlacement([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

std::string ErrorOf(const Variables& variables) {
  const absl::StatusOr<Placement> placement = Read(variables);
  EXPECT_TRUE(absl::IsInvalidArgument(placement.status()));
  return std::string(placement.status().message());
}

Variables With(Variables variables, const Variables& more) {
  for (const auto& [name, value] : more) variables[name] = value;
  return variables;
}

const Variables& Torchrun() {
  static const Variables& variables =
      *new Variables{{"RANK", "5"},        {"WORLD_SIZE", "8"},
                     {"LOCAL_RANK", "1"},  {"LOCAL_WORLD_SIZE", "4"},
                     {"MASTER_ADDR", "a"}, {"MASTER_PORT", "29500"}};
  return variables;
}

TEST(EnvironmentTest, NothingIsOneProcess) {
  const absl::StatusOr<Placement> placement = Read({});
  ASSERT_TRUE(placement.ok()) << placement.status();
  EXPECT_EQ(placement->rank, 0);
  EXPECT_EQ(placement->size, 1);
  EXPECT_FALSE(placement->local_rank.has_value());
}

TEST(EnvironmentTest, OneProcessNeedsNoMeetingPlace) {
  const absl::StatusOr<Placement> placement =
      Read({{"RANK", "0"}, {"WORLD_SIZE", "1"}});
  ASSERT_TRUE(placement.ok()) << placement.status();
  EXPECT_EQ(placement->size, 1);
}

TEST(EnvironmentTest, Torchrun) {
  const absl::StatusOr<Placement> placement = Read(
      With(Torchrun(), {{"TORCHELASTIC_USE_AGENT_STORE", "True"},
                        {"TORCHELASTIC_RESTART_COUNT", "2"},
                        // torchrun within a Slurm job: Slurm's are not ours.
                        {"SLURM_PROCID", "0"},
                        {"SLURM_NTASKS", "2"}}));
  ASSERT_TRUE(placement.ok()) << placement.status();
  EXPECT_EQ(placement->rank, 5);
  EXPECT_EQ(placement->size, 8);
  EXPECT_EQ(placement->local_rank, 1);
  EXPECT_EQ(placement->local_size, 4);
  EXPECT_EQ(placement->master_address, "a");
  EXPECT_EQ(placement->master_port, 29500);
  EXPECT_TRUE(placement->agent_listens);
  EXPECT_EQ(placement->attempt, 2);
  EXPECT_EQ(placement->launcher, 0);
  EXPECT_EQ(placement->socket, -1);
}

TEST(EnvironmentTest, ByHandWithoutLocalNumbers) {
  Variables variables = Torchrun();
  variables.erase("LOCAL_RANK");
  variables.erase("LOCAL_WORLD_SIZE");
  const absl::StatusOr<Placement> placement = Read(variables);
  ASSERT_TRUE(placement.ok()) << placement.status();
  EXPECT_FALSE(placement->local_rank.has_value());
  EXPECT_FALSE(placement->local_size.has_value());
  EXPECT_FALSE(placement->agent_listens);
}

TEST(EnvironmentTest, Slurm) {
  const absl::StatusOr<Placement> placement = Read({{"SLURM_PROCID", "3"},
                                                    {"SLURM_NTASKS", "4"},
                                                    {"SLURM_LOCALID", "1"},
                                                    {"MASTER_ADDR", "node-1"},
                                                    {"MASTER_PORT", "12345"}});
  ASSERT_TRUE(placement.ok()) << placement.status();
  EXPECT_EQ(placement->rank, 3);
  EXPECT_EQ(placement->size, 4);
  EXPECT_EQ(placement->local_rank, 1);
  EXPECT_FALSE(placement->local_size.has_value());
  EXPECT_EQ(placement->master_port, 12345);
}

TEST(EnvironmentTest, SlurmsNumberOfTasksAloneIsNoTask) {
  const absl::StatusOr<Placement> placement = Read({{"SLURM_NTASKS", "4"}});
  ASSERT_TRUE(placement.ok()) << placement.status();
  EXPECT_EQ(placement->size, 1);
}

TEST(EnvironmentTest, Mpirun) {
  const absl::StatusOr<Placement> placement =
      Read({{"OMPI_COMM_WORLD_RANK", "1"},
            {"OMPI_COMM_WORLD_SIZE", "2"},
            {"OMPI_COMM_WORLD_LOCAL_RANK", "0"},
            {"OMPI_COMM_WORLD_LOCAL_SIZE", "1"},
            {"MASTER_ADDR", "::1"},
            {"MASTER_PORT", "1"}});
  ASSERT_TRUE(placement.ok()) << placement.status();
  EXPECT_EQ(placement->rank, 1);
  EXPECT_EQ(placement->size, 2);
  EXPECT_EQ(placement->local_rank, 0);
  EXPECT_EQ(placement->local_size, 1);
}

TEST(EnvironmentTest, HalfARank) {
  EXPECT_THAT(ErrorOf({{"RANK", "0"}}), HasSubstr("RANK but not WORLD_SIZE"));
  EXPECT_THAT(ErrorOf({{"WORLD_SIZE", "2"}}),
              HasSubstr("WORLD_SIZE but not RANK"));
  EXPECT_THAT(ErrorOf({{"SLURM_PROCID", "0"}}), HasSubstr("SLURM_NTASKS"));
}

TEST(EnvironmentTest, NoMeetingPlace) {
  Variables variables = Torchrun();
  variables.erase("MASTER_ADDR");
  EXPECT_THAT(ErrorOf(variables), HasSubstr("MASTER_ADDR is not set"));
  variables = Torchrun();
  // An empty one is none.
  variables["MASTER_PORT"] = "";
  EXPECT_THAT(ErrorOf(variables), HasSubstr("MASTER_PORT is not set"));
  const std::string slurm =
      ErrorOf({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}});
  EXPECT_THAT(slurm, HasSubstr("Slurm"));
  EXPECT_THAT(slurm, HasSubstr("one of 4 processes"));
}

TEST(EnvironmentTest, Contradictions) {
  EXPECT_THAT(ErrorOf(With(Torchrun(), {{"RANK", "8"}})),
              HasSubstr("RANK=8 and WORLD_SIZE=8"));
  EXPECT_THAT(ErrorOf(With(Torchrun(), {{"LOCAL_RANK", "4"}})),
              HasSubstr("LOCAL_RANK=4 and LOCAL_WORLD_SIZE=4"));
}

TEST(EnvironmentTest, NoNumbers) {
  EXPECT_THAT(ErrorOf(With(Torchrun(), {{"RANK", "one"}})),
              HasSubstr("RANK=one"));
  EXPECT_THAT(ErrorOf(With(Torchrun(), {{"RANK", "-1"}})),
              HasSubstr("RANK=-1"));
  EXPECT_THAT(ErrorOf(With(Torchrun(), {{"WORLD_SIZE", "0"}})),
              HasSubstr("WORLD_SIZE=0"));
  EXPECT_THAT(ErrorOf(With(Torchrun(), {{"MASTER_PORT", "65536"}})),
              HasSubstr("from 1 to 65535"));
}

}  // namespace
}  // namespace gsg

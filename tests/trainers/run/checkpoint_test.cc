#include "trainers/run/checkpoint.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <caffe2/serialize/in_memory_adapter.h>
#include <caffe2/serialize/inline_container.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trainers/base/sealed_file.h"

namespace gsg {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string Folder() {
  const fs::path folder =
      fs::path(::testing::TempDir()) /
      ::testing::UnitTest::GetInstance()->current_test_info()->name();
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

Checkpoint Example() {
  Checkpoint checkpoint;
  checkpoint.meta = "{\"epoch\": 3}";
  // Channels-last, as convolution weights are here.
  checkpoint.model = {
      {"conv1.weight", at::arange(24, at::kFloat)
                           .view({1, 2, 3, 4})
                           .contiguous(at::MemoryFormat::ChannelsLast)},
      {"bn1.num_batches_tracked", at::full({}, 7, at::kLong)}};
  checkpoint.optimizer = {{"conv1.weight", at::full({2}, 0.5, at::kFloat)}};
  return checkpoint;
}

absl::Status SaveExample(const std::string& folder) {
  return SavePickled(folder, PickleCheckpoint(Example()), /*keep=*/2);
}

TEST(CheckpointTest, RoundTrip) {
  const std::string folder = Folder();
  ASSERT_TRUE(SaveExample(folder).ok());
  absl::StatusOr<Checkpoint> loaded =
      LoadCheckpoint(LastCheckpointPath(folder));
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->meta, Example().meta);
  ASSERT_EQ(loaded->model.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(loaded->model[i].first, Example().model[i].first);
    EXPECT_TRUE(at::equal(loaded->model[i].second, Example().model[i].second));
  }
  EXPECT_TRUE(
      at::equal(loaded->optimizer[0].second, Example().optimizer[0].second));
}

// A string that grows as it is written takes up to three times its size.
TEST(CheckpointTest, TakesItsSizeInMemoryOnce) {
  Checkpoint checkpoint = Example();
  for (int i = 0; i < 20; ++i) {
    checkpoint.model.emplace_back("weight" + std::to_string(i),
                                  at::zeros({1 << 15}, at::kFloat));
  }
  std::string bytes = PickleCheckpoint(checkpoint);
  EXPECT_LT(bytes.capacity(), bytes.size() * 1.01);
  const char* const where = bytes.data();
  ASSERT_TRUE(Seal(bytes).ok());
  EXPECT_EQ(bytes.data(), where);
}

TEST(CheckpointTest, DamageIsRefusedByName) {
  const std::string folder = Folder();
  ASSERT_TRUE(SaveExample(folder).ok());
  const std::string path = LastCheckpointPath(folder);
  std::string bytes = *ReadFile(path);
  bytes[bytes.size() / 2] ^= 1;
  ASSERT_TRUE(WriteFileAtomically(path, bytes).ok());
  const absl::Status status = LoadCheckpoint(path).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_EQ(status.message(),
            path + " is damaged: its checksum does not match");
}

// Whole, sealed, and nothing we wrote: an error, not an exception or a crash.
TEST(CheckpointTest, AStrangersZipIsRefused) {
  const std::string path = Folder() + "/strange.pt";
  std::string zip = std::string("PK\5\6", 4) + std::string(18, '\0');
  ASSERT_TRUE(Seal(zip).ok());
  ASSERT_TRUE(WriteFileAtomically(path, zip).ok());
  const absl::Status status = LoadCheckpoint(path).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("is not a checkpoint of this program"));
}

// An archive whose index says other things than its records, sealed.
absl::Status LoadArchive(const std::string& record, size_t record_bytes) {
  const std::string folder = Folder();
  if (!SaveExample(folder).ok()) return absl::OkStatus();
  const std::string path = LastCheckpointPath(folder);
  std::string zip = *ReadFile(path);
  EXPECT_TRUE(Unseal(zip, path).ok());
  caffe2::serialize::PyTorchStreamReader reader(
      std::make_shared<caffe2::serialize::MemoryReadAdapter>(zip.data(),
                                                             zip.size()));
  std::string changed;
  caffe2::serialize::PyTorchStreamWriter writer(
      [&changed](const void* bytes, size_t size) {
        changed.append(static_cast<const char*>(bytes), size);
        return size;
      });
  for (const char* name : {"data.pkl", "data/0", "data/1", "data/2"}) {
    auto [bytes, size] = reader.getRecord(name);
    if (name == record) size = record_bytes;
    if (size > 0) writer.writeRecord(name, bytes.get(), size);
  }
  writer.writeEndOfFile();
  EXPECT_TRUE(Seal(changed).ok());
  if (!WriteFileAtomically(path, changed).ok()) return absl::OkStatus();
  return LoadCheckpoint(path).status();
}

TEST(CheckpointTest, RecordsAreWhatTheIndexSays) {
  const absl::Status shorter = LoadArchive("data/0", 92);
  EXPECT_TRUE(absl::IsDataLoss(shorter)) << shorter;
  EXPECT_THAT(std::string(shorter.message()),
              HasSubstr("data/0 has 92 bytes, expected 24 of 4"));
  const absl::Status odd = LoadArchive("data/0", 95);
  EXPECT_THAT(std::string(odd.message()), HasSubstr("data/0 has 95 bytes"));
  const absl::Status missing = LoadArchive("data/2", 0);
  EXPECT_TRUE(absl::IsDataLoss(missing)) << missing;
  EXPECT_THAT(std::string(missing.message()),
              HasSubstr("is not a checkpoint of this program"));
}

TEST(CopyTensorsTest, CopiesByNameInAnyOrder) {
  const NamedTensors from = {{"b", at::full({1}, 2.f)},
                             {"a", at::full({2}, 1.f)}};
  const NamedTensors to = {{"a", at::zeros({2})}, {"b", at::zeros({1})}};
  ASSERT_TRUE(CopyTensors("model", from, to).ok());
  EXPECT_TRUE(at::equal(to[0].second, from[1].second));
  EXPECT_TRUE(at::equal(to[1].second, from[0].second));
}

TEST(CopyTensorsTest, NamesWhatDoesNotFitAndChangesNothing) {
  const NamedTensors from = {{"a", at::full({2}, 1.f)},
                             {"b", at::full({1}, 2.f)}};
  const NamedTensors other_shape = {{"a", at::zeros({2})},
                                    {"b", at::zeros({3})}};
  EXPECT_EQ(CopyTensors("model", from, other_shape).message(),
            "the checkpoint's model b is Float[1]; this run needs Float[3]");
  EXPECT_TRUE(at::equal(other_shape[0].second, at::zeros({2})));
  const NamedTensors other_name = {{"a", at::zeros({2})},
                                   {"c", at::zeros({1})}};
  EXPECT_EQ(CopyTensors("model", from, other_name).message(),
            "the checkpoint's model has no c");
  const NamedTensors fewer = {{"a", at::zeros({2})}};
  EXPECT_EQ(CopyTensors("optimizer", from, fewer).message(),
            "the checkpoint's optimizer has 2 tensors; this run has 1");
}

}  // namespace
}  // namespace gsg

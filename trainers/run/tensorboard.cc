#include "trainers/run/tensorboard.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "absl/crc/crc32c.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/append_file.h"
#include "trainers/run/epoch_record.h"

namespace gsg {
namespace {

// Protocol buffers' wire format: a key, which is the field's number and type,
// and the value.
enum WireType { kVarint = 0, kDouble = 1, kBytes = 2, kFloat = 5 };

template <class T>
void AppendRaw(T value, std::string* text) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));  // x86-64: little-endian, as there
  text->append(bytes, sizeof(T));
}

void AppendVarint(uint64_t value, std::string* text) {
  for (; value >= 0x80; value >>= 7) {
    text->push_back(static_cast<char>(value | 0x80));
  }
  text->push_back(static_cast<char>(value));
}

void AppendKey(int field, WireType type, std::string* text) {
  AppendVarint(static_cast<uint64_t>(field) << 3 | type, text);
}

void AppendBytes(int field, absl::string_view bytes, std::string* text) {
  AppendKey(field, kBytes, text);
  AppendVarint(bytes.size(), text);
  text->append(bytes.data(), bytes.size());
}

// Event: wall_time = 1 and step = 2, and one field of what happened.
std::string Event(int64_t step, int field, absl::string_view what) {
  std::string event;
  AppendKey(1, kDouble, &event);
  AppendRaw(absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch()), &event);
  AppendKey(2, kVarint, &event);
  AppendVarint(static_cast<uint64_t>(step), &event);
  AppendBytes(field, what, &event);
  return event;
}

constexpr int kFileVersion = 3;
constexpr int kSummary = 5;
constexpr int kSessionLog = 7;

// Summary: value = 1, of tag = 1 and simple_value = 2.
void AppendScalar(absl::string_view name, double scalar, std::string* summary) {
  if (!std::isfinite(scalar)) return;
  std::string value;
  AppendBytes(1, absl::StrCat("epoch/", name), &value);
  AppendKey(2, kFloat, &value);
  AppendRaw(static_cast<float>(scalar), &value);
  AppendBytes(1, value, summary);
}

void AppendScalar(absl::string_view name, const std::array<double, 4>& shares,
                  std::string* summary) {
  constexpr absl::string_view kPairs[] = {"11_21", "11_22", "12_21", "12_22"};
  for (size_t i = 0; i < shares.size(); ++i) {
    AppendScalar(absl::StrCat(name, "/", kPairs[i]), shares[i], summary);
  }
}

// A checksum of bytes that hold checksums is weak, hence the rotation.
uint32_t MaskedCrc(absl::string_view bytes) {
  const uint32_t crc = static_cast<uint32_t>(absl::ComputeCrc32c(bytes));
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

std::string Framed(absl::string_view event) {
  std::string record;
  AppendRaw(static_cast<uint64_t>(event.size()), &record);
  AppendRaw(MaskedCrc(record), &record);
  absl::StrAppend(&record, event);
  AppendRaw(MaskedCrc(event), &record);
  return record;
}

}  // namespace

absl::StatusOr<TensorBoardLog> TensorBoardLog::Open(const std::string& folder,
                                                    int64_t epoch) {
  // TensorBoard reads files in the order of their names.
  GSG_ASSIGN_OR_RETURN(AppendFile file, AppendFile::Open(absl::StrCat(
                                            folder, "/events.out.tfevents.",
                                            absl::ToUnixMicros(absl::Now()))));
  std::string start;
  AppendKey(1, kVarint, &start);  // SessionLog: status = 1
  AppendVarint(1, &start);        // START
  GSG_RETURN_IF_ERROR(
      file.Append(absl::StrCat(Framed(Event(0, kFileVersion, "brain.Event:2")),
                               Framed(Event(epoch, kSessionLog, start)))));
  return TensorBoardLog(std::move(file));
}

absl::Status TensorBoardLog::Append(const EpochRecord& record) {
  std::string summary;
  VisitRecord(record, [&](absl::string_view name, const auto& value) {
    if (name != "epoch") AppendScalar(name, value, &summary);
  });
  return file_.Append(Framed(Event(record.epoch, kSummary, summary)));
}

}  // namespace gsg

#include "trainers/image/codec/jpeg.h"

// jpeglib.h needs FILE and size_t, and does not say so.
// clang-format off
#include <cstddef>
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <csetjmp>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/image.h"

namespace gsg {
namespace {

// Progressive files with thousands of scans take minutes: refused.
constexpr int kMaxScans = 500;

constexpr char kCutOff[] = "Premature end of JPEG file";

// One file in libjpeg's hands. libjpeg leaves a function that fails by
// longjmp, so nothing with a destructor may be born between setjmp and the
// failure: all that is here outlives it.
class Decompression {
 public:
  explicit Decompression(absl::Span<const uint8_t> file) : file_(file) {
    cinfo_.err = jpeg_std_error(&errors_);
    cinfo_.client_data = this;
    errors_.error_exit = [](j_common_ptr cinfo) { Self(cinfo)->Fail(); };
    errors_.emit_message = [](j_common_ptr cinfo, int level) {
      if (level < 0) Self(cinfo)->Warn();
    };
    errors_.output_message = [](j_common_ptr) {};
  }
  Decompression(const Decompression&) = delete;
  Decompression& operator=(const Decompression&) = delete;
  ~Decompression() {
    if (created_) jpeg_destroy_decompress(&cinfo_);
  }

  // Both are false after an error; error() has the reason.
  bool ReadHeader();
  bool Decode(int channels, int* reduction, Raster* raster);

  // Where the last scan ended after which nothing was missing; 0 if there was
  // none.
  size_t complete_at() const { return complete_at_; }
  ImageSize size() const {
    return {static_cast<int>(cinfo_.image_height),
            static_cast<int>(cinfo_.image_width)};
  }
  absl::Status error() const {
    return absl::DataLossError(absl::StrCat("JPEG: ", reason_));
  }

 private:
  template <class Info>
  static Decompression* Self(Info cinfo) {
    return static_cast<Decompression*>(cinfo->client_data);
  }

  void Create();
  [[noreturn]] void Fail();
  void Warn();
  bool HeaderMakesSense();
  int64_t CoefficientBlocks() const;
  bool ReadScans();
  void NoteScan();
  bool HasAllComponents() const;
  bool Complete() const;
  void ReadRows(Raster* raster);

  const absl::Span<const uint8_t> file_;
  jpeg_decompress_struct cinfo_ = {};
  jpeg_error_mgr errors_ = {};
  jpeg_source_mgr source_ = {};
  std::jmp_buf failed_;
  bool created_ = false;
  bool at_end_ = false;      // of the file, and more was wanted
  uint32_t components_ = 0;  // a bit for each that was in a scan
  size_t complete_at_ = 0;
  std::vector<uint8_t> inks_;  // a row of C, M, Y and K
  std::string reason_;
};

void Decompression::Fail() {
  char text[JMSG_LENGTH_MAX];
  errors_.format_message(reinterpret_cast<j_common_ptr>(&cinfo_), text);
  reason_ = at_end_ ? kCutOff : text;
  std::longjmp(failed_, 1);
}

// Of libjpeg's warnings, those that say that it has made up pixels. The others
// are about a file's form: the pixels are all there.
void Decompression::Warn() {
  switch (errors_.msg_code) {
    case JWRN_ARITH_BAD_CODE:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
      Fail();
  }
}

void Decompression::Create() {
  jpeg_create_decompress(&cinfo_);
  created_ = true;
  source_.init_source = [](j_decompress_ptr) {};
  source_.term_source = [](j_decompress_ptr) {};
  // A restart marker of another number than the next is no damage if libjpeg
  // takes it for that. Otherwise pixels are missing: it has skipped data, or
  // left the marker for later.
  source_.resync_to_restart = [](j_decompress_ptr cinfo, int wanted) {
    const size_t left = cinfo->src->bytes_in_buffer;
    jpeg_resync_to_restart(cinfo, wanted);
    if (cinfo->unread_marker != 0 || cinfo->src->bytes_in_buffer != left) {
      ERREXIT2(cinfo, JWRN_MUST_RESYNC, cinfo->unread_marker, wanted);
    }
    return static_cast<boolean>(TRUE);
  };
  // Behind the file, end markers without end: whether something is missing is
  // seen by what is read, not by whether the file has one.
  source_.fill_input_buffer = [](j_decompress_ptr cinfo) -> boolean {
    static const JOCTET kEnd[] = {0xFF, JPEG_EOI};
    Self(cinfo)->at_end_ = true;
    cinfo->src->next_input_byte = kEnd;
    cinfo->src->bytes_in_buffer = sizeof(kEnd);
    return TRUE;
  };
  source_.skip_input_data = [](j_decompress_ptr cinfo, long count) {  // NOLINT
    jpeg_source_mgr* source = cinfo->src;
    if (count <= 0) return;
    if (static_cast<size_t>(count) > source->bytes_in_buffer) {
      source->fill_input_buffer(cinfo);
    } else {
      source->next_input_byte += count;
      source->bytes_in_buffer -= count;
    }
  };
  source_.next_input_byte = file_.data();
  source_.bytes_in_buffer = file_.size();
  cinfo_.src = &source_;
}

int64_t Decompression::CoefficientBlocks() const {
  int64_t blocks = 0;
  for (int i = 0; i < cinfo_.num_components; ++i) {
    blocks += int64_t{cinfo_.comp_info[i].width_in_blocks} *
              cinfo_.comp_info[i].height_in_blocks;
  }
  return blocks;
}

// Asked before anything large is allocated: a few bytes can promise more
// pixels than any memory holds.
bool Decompression::HeaderMakesSense() {
  const int components = cinfo_.num_components;
  if (components != 1 && components != 3 && components != 4) {
    reason_ = absl::StrCat(components, " components; 1, 3 and 4 are read");
    return false;
  }
  const int64_t blocks = CoefficientBlocks();
  // In Huffman's code a block takes a bit at the least.
  if (!cinfo_.arith_code && blocks / 8 > static_cast<int64_t>(file_.size())) {
    reason_ = absl::StrCat("absurd size: ", cinfo_.image_width, " x ",
                           cinfo_.image_height, " pixels in ", file_.size(),
                           " bytes; it is cut off, or its header is wrong");
    return false;
  }
  const int64_t held = blocks * static_cast<int64_t>(sizeof(JBLOCK));
  if (jpeg_has_multiple_scans(&cinfo_) && held > kMaxImageBytes) {
    reason_ = absl::StrCat(
        "absurd size: ", cinfo_.image_width, " x ", cinfo_.image_height,
        " pixels of several scans take ", held >> 20, " MiB; at most ",
        kMaxImageBytes >> 20, " MiB are spent on an image");
    return false;
  }
  return true;
}

bool Decompression::ReadHeader() {
  if (setjmp(failed_) != 0) return false;
  Create();
  jpeg_read_header(&cinfo_, TRUE);
  return HeaderMakesSense();
}

void Decompression::NoteScan() {
  for (int i = 0; i < cinfo_.comps_in_scan; ++i) {
    components_ |= 1u << cinfo_.cur_comp_info[i]->component_index;
  }
}

bool Decompression::HasAllComponents() const {
  return components_ == (1u << cinfo_.num_components) - 1;
}

// Whether the scans so far have all bits of every component.
bool Decompression::Complete() const {
  if (!HasAllComponents()) return false;
  if (!cinfo_.progressive_mode) return true;
  for (int i = 0; i < cinfo_.num_components; ++i) {
    // The bits that a coefficient still lacks; -1 if nothing came of it.
    for (int k = 0; k < DCTSIZE2; ++k) {
      if (cinfo_.coef_bits[i][k] != 0) return false;
    }
  }
  return true;
}

// Reads all scans of a file that has several. It lacks pixels if a component
// never came, or if it ends between scans and the last ones are missing.
bool Decompression::ReadScans() {
  for (;;) {
    NoteScan();
    const int event = jpeg_consume_input(&cinfo_);
    if (event == JPEG_REACHED_EOI) break;
    if (cinfo_.input_scan_number > kMaxScans) {
      reason_ = absl::StrCat("more than ", kMaxScans, " scans");
      return false;
    }
    if (event == JPEG_SCAN_COMPLETED && !at_end_ && Complete()) {
      // The marker behind it has been seen already.
      const size_t ahead = cinfo_.unread_marker != 0 ? 2 : 0;
      complete_at_ = file_.size() - source_.bytes_in_buffer - ahead;
    }
  }
  if (at_end_ ? Complete() : HasAllComponents()) return true;
  reason_ = at_end_ ? kCutOff : "a component is missing";
  return false;
}

void Decompression::ReadRows(Raster* raster) {
  const bool four_inks = cinfo_.out_color_space == JCS_CMYK;
  const size_t width = cinfo_.output_width;
  while (cinfo_.output_scanline < cinfo_.output_height) {
    uint8_t* out = raster->pixels.data() +
                   size_t{cinfo_.output_scanline} * width * raster->channels;
    JSAMPROW row = four_inks ? inks_.data() : out;
    jpeg_read_scanlines(&cinfo_, &row, 1);
    if (!four_inks) continue;
    const uint8_t* in = inks_.data();
    for (size_t i = 0; i < width; ++i, in += 4, out += 3) {
      for (int c = 0; c < 3; ++c) {
        out[c] = static_cast<uint8_t>((in[c] * in[3] + 127) / 255);
      }
    }
  }
}

bool Decompression::Decode(int channels, int* reduction, Raster* raster) {
  if (setjmp(failed_) != 0) return false;
  const bool four_inks = cinfo_.num_components == 4;
  const int bytes = channels == 1 && !four_inks ? 1 : 3;
  cinfo_.out_color_space = four_inks    ? JCS_CMYK
                           : bytes == 1 ? JCS_GRAYSCALE
                                        : JCS_RGB;
  for (;; *reduction *= 2) {
    cinfo_.scale_num = 1;
    cinfo_.scale_denom = *reduction;
    jpeg_calc_output_dimensions(&cinfo_);
    const int64_t row = int64_t{cinfo_.output_width} * bytes;
    if (*reduction == 8 || row * cinfo_.output_height <= kMaxImageBytes) break;
  }
  cinfo_.buffered_image = jpeg_has_multiple_scans(&cinfo_);
  jpeg_start_decompress(&cinfo_);
  if (cinfo_.buffered_image) {
    if (!ReadScans()) return false;
    jpeg_start_output(&cinfo_, cinfo_.input_scan_number);
  }
  raster->Resize(static_cast<int>(cinfo_.output_height),
                 static_cast<int>(cinfo_.output_width), bytes);
  if (four_inks) inks_.resize(size_t{4} * cinfo_.output_width);
  ReadRows(raster);
  // What comes behind the last row is none of the picture's.
  return true;
}

}  // namespace

absl::StatusOr<ImageSize> JpegSize(absl::Span<const uint8_t> file) {
  Decompression decompression(file);
  if (!decompression.ReadHeader()) return decompression.error();
  return decompression.size();
}

absl::Status DecodeJpeg(absl::Span<const uint8_t> file, int channels,
                        int* reduction, Raster* raster) {
  Decompression whole(file);
  if (!whole.ReadHeader()) return whole.error();
  if (whole.Decode(channels, reduction, raster)) return absl::OkStatus();
  // Behind the last scan of a telephone's picture there may be anything, and
  // not the end marker. It is read again as if it ended there.
  if (whole.complete_at() == 0) return whole.error();
  Decompression picture(file.first(whole.complete_at()));
  if (!picture.ReadHeader() || !picture.Decode(channels, reduction, raster)) {
    return whole.error();
  }
  return absl::OkStatus();
}

}  // namespace gsg

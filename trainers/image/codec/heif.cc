#include "trainers/image/codec/heif.h"

#include <dlfcn.h>
#include <libheif/heif.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gsg_core/status_macros.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/image.h"

namespace gsg {
namespace {

// libheif's functions that are used here, by their names there less "heif_".
#define GSG_HEIF_FUNCTIONS(FUNCTION)              \
  FUNCTION(context_alloc)                         \
  FUNCTION(context_free)                          \
  FUNCTION(context_get_primary_image_handle)      \
  FUNCTION(context_read_from_memory_without_copy) \
  FUNCTION(context_set_max_decoding_threads)      \
  FUNCTION(decode_image)                          \
  FUNCTION(decoding_options_alloc)                \
  FUNCTION(decoding_options_free)                 \
  FUNCTION(image_get_height)                      \
  FUNCTION(image_get_plane_readonly)              \
  FUNCTION(image_get_width)                       \
  FUNCTION(image_handle_get_height)               \
  FUNCTION(image_handle_get_width)                \
  FUNCTION(image_handle_release)                  \
  FUNCTION(image_release)

struct Library {
#define GSG_HEIF_POINTER(name) decltype(&heif_##name) name = nullptr;
  GSG_HEIF_FUNCTIONS(GSG_HEIF_POINTER)
#undef GSG_HEIF_POINTER
};

absl::StatusOr<Library> Load() {
  const char* own = std::getenv("GSG_LIBHEIF");
  const std::string path = own != nullptr ? own : "libheif.so.1";
  // Never closed: its threads and plugins may outlive any image.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return absl::UnavailableError(
        own != nullptr
            ? absl::StrCat("GSG_LIBHEIF=", path, " cannot be loaded as libheif")
            : "libheif is needed and not installed here: apt-get install "
              "libheif1 (or GSG_LIBHEIF=<path of libheif.so.1>)");
  }
  Library functions;
  std::string missing;
#define GSG_HEIF_FIND(name)                                                    \
  functions.name =                                                             \
      reinterpret_cast<decltype(&heif_##name)>(dlsym(library, "heif_" #name)); \
  if (functions.name == nullptr) missing = "heif_" #name;
  GSG_HEIF_FUNCTIONS(GSG_HEIF_FIND)
#undef GSG_HEIF_FIND
  if (missing.empty()) return functions;
  return absl::UnavailableError(absl::StrCat(path, " has no ", missing,
                                             ": libheif 1.9 or newer is "
                                             "needed"));
}

const absl::StatusOr<Library>& TheLibrary() {
  static const auto* library = new absl::StatusOr<Library>(Load());
  return *library;
}

absl::Status Error(const heif_error& error) {
  const bool no_codec = error.code == heif_error_Unsupported_filetype ||
                        error.subcode == heif_suberror_Unsupported_codec;
  return absl::DataLossError(absl::StrCat(
      "HEIF: ", error.message == nullptr ? "it is corrupt" : error.message,
      no_codec ? " (libheif may lack a plugin for it: apt-get install "
                 "libheif-plugin-libde265 libheif-plugin-dav1d)"
               : ""));
}

// One file in libheif's hands.
class File {
 public:
  static absl::StatusOr<File> Open(absl::Span<const uint8_t> bytes) {
    if (const absl::Status has = HasHeif(); !has.ok()) {
      return absl::DataLossError(
          absl::StrCat("a HEIC or AVIF file: ", has.message()));
    }
    const Library& heif = *TheLibrary();
    File file(heif.context_alloc(), heif.context_free);
    if (file.context_ == nullptr) {
      return absl::ResourceExhaustedError("no memory for a HEIF decoder");
    }
    // Images are decoded by threads already.
    heif.context_set_max_decoding_threads(file.context_.get(), 0);
    heif_error error = heif.context_read_from_memory_without_copy(
        file.context_.get(), bytes.data(), bytes.size(), nullptr);
    if (error.code != heif_error_Ok) return Error(error);
    heif_image_handle* image = nullptr;
    error = heif.context_get_primary_image_handle(file.context_.get(), &image);
    if (error.code != heif_error_Ok) return Error(error);
    file.image_ = {image, heif.image_handle_release};
    GSG_RETURN_IF_ERROR(
        // RGB twice, and three planes of two bytes.
        CheckSize(file.size().height, file.size().width, 12));
    return file;
  }

  ImageSize size() const {
    return {TheLibrary()->image_handle_get_height(image_.get()),
            TheLibrary()->image_handle_get_width(image_.get())};
  }

  absl::Status Decode(Raster* raster) const {
    const Library& heif = *TheLibrary();
    const std::unique_ptr<heif_decoding_options,
                          void (*)(heif_decoding_options*)>
        options(heif.decoding_options_alloc(), heif.decoding_options_free);
    options->convert_hdr_to_8bit = 1;
    heif_image* decoded = nullptr;
    const heif_error error =
        heif.decode_image(image_.get(), &decoded, heif_colorspace_RGB,
                          heif_chroma_interleaved_RGB, options.get());
    if (error.code != heif_error_Ok) return Error(error);
    const std::unique_ptr<const heif_image, void (*)(const heif_image*)> image(
        decoded, heif.image_release);
    int stride = 0;
    const uint8_t* rgb = heif.image_get_plane_readonly(
        image.get(), heif_channel_interleaved, &stride);
    const int height =
        heif.image_get_height(image.get(), heif_channel_interleaved);
    const int width =
        heif.image_get_width(image.get(), heif_channel_interleaved);
    if (rgb == nullptr || height != size().height || width != size().width ||
        stride < 3 * int64_t{width}) {
      return absl::DataLossError(absl::StrCat(
          "HEIF: the image has ", width, " x ", height, " pixels, and not ",
          size().width, " x ", size().height, " as its header says"));
    }
    raster->Resize(height, width, 3);
    for (int64_t y = 0; y < height; ++y) {
      std::copy_n(rgb + y * stride, 3 * int64_t{width},
                  raster->pixels.data() + 3 * y * width);
    }
    return absl::OkStatus();
  }

 private:
  File(heif_context* context, void (*free)(heif_context*))
      : context_(context, free) {}

  std::unique_ptr<heif_context, void (*)(heif_context*)> context_;
  std::unique_ptr<const heif_image_handle, void (*)(const heif_image_handle*)>
      image_{nullptr, nullptr};
};

}  // namespace

absl::Status HasHeif() { return TheLibrary().status(); }

absl::StatusOr<ImageSize> HeifSize(absl::Span<const uint8_t> file) {
  GSG_ASSIGN_OR_RETURN(const File heif, File::Open(file));
  return heif.size();
}

absl::Status DecodeHeif(absl::Span<const uint8_t> file, Raster* raster) {
  GSG_ASSIGN_OR_RETURN(const File heif, File::Open(file));
  return heif.Decode(raster);
}

}  // namespace gsg

#ifndef GSG_TRAINERS_IMAGE_FOLDER_SCAN_H_
#define GSG_TRAINERS_IMAGE_FOLDER_SCAN_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace gsg {

// The suffixes of files that are read, for messages.
inline constexpr char kImageSuffixes[] =
    ".jpg, .jpeg, .png, .webp, .tif, .tiff, .gif, .bmp, .ppm, .pgm, .heic, "
    ".heif or .avif";

// ".tif" of "a/B.TIF"; "no suffix" if there is none.
std::string SuffixOf(absl::string_view path);

// Whether a file of that name is read: by its suffix, in upper or lower case.
// HEIC and AVIF files are not where libheif is missing.
bool IsImageName(absl::string_view name);

// Whether a file with that suffix, as ".heic", needs libheif (codec/heif.h).
bool NeedsHeif(absl::string_view suffix);

// Whether a file or folder of that name is nobody's data: hidden ones, and
// those that network storage, Macs, Windows and Jupyter leave behind.
bool IsIgnoredName(absl::string_view name);

// In what explore writes: sheets of thumbnails, and a table that is there
// before them.
inline constexpr char kSheetsFolder[] = "sheets";
inline constexpr char kNeighborsFile[] = "neighbors.csv";

// If `path` is called as a sheet of thumbnails is,
// a/sheets/0123456789abcdef.jpg, the path of the table that is there, too, if
// it is one: a/neighbors.csv. Otherwise "".
std::string TableBesideSheet(absl::string_view path);

// Whether the file `path` is a sheet of thumbnails, and no image of the user's:
// by its name and by that table, which are there however far explore has come.
bool IsThumbnailSheet(const std::string& path);

// What a folder is by its name, in upper or lower case: train, training; val,
// valid, validation, dev; test, testing; with or without a number or a word
// like "set" or "images" behind it (val2017, test_images).
enum class Split { kNone, kTrain, kVal, kTest };
Split SplitOf(absl::string_view name);

// What walks over folders have found.
struct Findings {
  std::vector<std::string> images;         // below the walk's folder, sorted
  std::map<std::string, int64_t> formats;  // other files: suffix and number
  std::string other;                       // one of them
  std::string archive;        // one of them that may hold images, packed
  int64_t sheets = 0;         // explore's (IsThumbnailSheet)
  std::string sheet;          // one of them
  int64_t special = 0;        // pipes, sockets and devices: not opened
  int64_t repeated = 0;       // links to what is read already, or lies above
  std::string repeated_link;  // one of them
  int64_t replaced = 0;       // in archives: there is a later one of that name
  std::string replaced_one;   // one of them
  // Folders below a training set that are called as a validation or test set.
  std::vector<std::string> splits;
  // Images that lie beside the folder for training, and so are not used.
  std::vector<std::string> beside;
  std::string training_set;  // that folder

  int64_t others() const;
  // Takes over everything of `more` but its images.
  void AddPassedOver(const Findings& more);
};

// Walks over folders. Each real folder is entered once, whatever links lead to
// it: by its own path if that is below the walk's, otherwise by the first link.
class FolderScan {
 public:
  // training: folders that are called as a validation or test set are not
  // entered.
  explicit FolderScan(bool training) : training_(training) {}

  // Keeps the walk out of `folder` and what is below it, whatever links lead
  // there.
  void KeepOut(const std::string& folder);

  // The files below dir/part, or with an empty part below dir; not those in
  // folders below it that an earlier call has entered.
  // Errors: the file system's, naming the folder; kCancelled if the program is
  // interrupted (base/interrupt.h).
  absl::StatusOr<Findings> Run(const std::string& dir, const std::string& part);

 private:
  struct Link {
    std::string path;
    std::string below;  // of the walk's folder
  };

  bool EnterOnce(const std::string& path);
  bool MayFollow(const std::string& path);
  absl::Status Walk(const std::string& path, const std::string& below,
                    Findings* findings, std::vector<Link>* links);

  const bool training_;
  std::vector<std::string> keep_out_;             // real paths
  std::set<std::pair<uint64_t, uint64_t>> seen_;  // device and inode
};

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_FOLDER_SCAN_H_

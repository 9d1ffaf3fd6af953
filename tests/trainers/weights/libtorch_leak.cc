// LibTorch's archive reader loses what it has read of the directory when its
// constructor throws: of an archive that is empty, or with a file in no folder.
// LeakSanitizer asks for this function; without it nobody calls it.

extern "C" const char* __lsan_default_suppressions();

extern "C" const char* __lsan_default_suppressions() {
  return "leak:mz_zip_reader_init\nleak:mz_zip_reader_read_central_dir\n";
}

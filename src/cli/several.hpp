// What verbs share that read several files, or write several.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <weighbridge/convert.hpp>
#include <weighbridge/worker.hpp>

namespace weighbridge::cli {

/// Reads the structure of one of the inputs. Errors name the file.
Checkpoint open_one(WorkerFiles& files, std::size_t number, const std::string& file, OpenOptions options);

/// Carries the conversion out, stoppable by signals. An output that exists already is refused with a hint.
ConvertReport write_all(const Conversion& conversion, WorkerFiles& files, WriteOptions write);

struct ReportStyle {
  bool json = false;
  bool explain = false;  ///< How each file was written.
};

/// The files that were written, in text or as JSON beside `verb`'s schema, and the first findings.
void report_files(std::string_view verb, const std::filesystem::path& output, const Conversion& conversion,
                  const ConvertReport& report, ReportStyle style);

}  // namespace weighbridge::cli

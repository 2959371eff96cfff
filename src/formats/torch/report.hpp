// What a pickle stream would have meant to a loader that executes: findings about its globals.
#pragma once

#include <exception>

#include <weighbridge/error.hpp>
#include <weighbridge/limits.hpp>

#include "formats/pickle/machine.hpp"

namespace weighbridge::torch {

/// Adds "DangerousGlobal" and "UnknownGlobal" findings, one for each name, at its first use.
void report_globals(const pickle::Graph& graph, const Limits& limits, Findings& findings);

/// Adds "DangerousGlobal" findings for those names that have none yet.
void report_dangers(const pickle::Graph& graph, const Limits& limits, Findings& findings);

/// Adds "TrailingBytes" when `source` goes on behind `end`, the end of what was read.
void report_rest(const ByteSource& source, std::uint64_t end, Findings& findings);

/// Runs one stream and reports its globals. Throws what broke the stream; DangerousContent naming
/// both when it had named something dangerous before it broke.
pickle::Outcome run_reported(SourcePtr source, std::uint64_t offset, const Limits& limits,
                             Findings& findings);

/// `error`, or DangerousContent naming both when there is a finding of danger. An IoError stays.
Error with_danger(const Error& error, const Findings& findings);

}  // namespace weighbridge::torch

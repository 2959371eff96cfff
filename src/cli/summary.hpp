// What a checkpoint holds, counted: shared by convert, ls and info.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "cli/json.hpp"

namespace weighbridge::cli {

struct DTypeTotal {
  DType dtype = DType::F32;
  std::uint64_t tensors = 0;
  std::uint64_t parameters = 0;
  std::uint64_t bytes = 0;
};

/// Sums over tensors; a sum that does not fit 64 bits stays at their maximum.
struct Totals {
  std::vector<DTypeTotal> dtypes;  ///< Those that occur, most bytes first.
  std::uint64_t tensors = 0;
  std::uint64_t parameters = 0;
  std::uint64_t bytes = 0;
};

Totals count_totals(const std::vector<const TensorEntry*>& tensors);
Totals count_totals(const Checkpoint& checkpoint);

/// A name that stands for another tensor: metadata[name] = kept, as save_model writes it.
struct TiedName {
  std::string name;
  std::string kept;
};

std::vector<TiedName> tied_names(const Checkpoint& checkpoint);

/// A table with a line for each dtype and one for all.
void print_totals(std::FILE* stream, const Totals& totals);
/// One indented line each, with its code.
void print_findings(std::FILE* stream, const Findings& findings);
/// Warnings and worse, at most `most` of them, and how many more `validate` would list.
void print_first_findings(std::FILE* stream, const Findings& findings, std::size_t most);
/// Those of Severity::Danger alone: a list is no place for the rest.
void print_dangers(std::FILE* stream, const Findings& findings);
/// The sub-tree that was taken and the others that could have been; nothing when there was no choice.
void print_root(std::FILE* stream, const Checkpoint& checkpoint);
void print_tied(std::FILE* stream, const std::vector<TiedName>& tied, std::size_t most);
/// "not tensors: ..." with the first `most` values; `fate` says what becomes of them.
void print_extras(std::FILE* stream, const Checkpoint& checkpoint, std::uint64_t most, std::string_view fate);

Json totals_json(const Totals& totals);
Json candidates_json(const Checkpoint& checkpoint);
Json tied_json(const std::vector<TiedName>& tied);
Json extras_json(const Checkpoint& checkpoint, std::uint64_t most);

}  // namespace weighbridge::cli

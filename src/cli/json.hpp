// The pieces that the --json outputs are made of; docs/cli.md describes them.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include <weighbridge/checkpoint.hpp>

#include <nlohmann/json.hpp>

namespace weighbridge::cli {

using Json = nlohmann::ordered_json;

/// An object that starts with its schema, e.g. "weighbridge.ls.v1".
Json document(std::string_view verb);

Json error_json(const Error& error);
/// The errno of a failed system call; null when there was none.
Json errno_json(const Error& error);
Json findings_json(const Findings& findings);
Json metadata_json(const std::optional<Metadata>& metadata);

/// Name, dtype, shape, bytes.
Json tensor_json(const TensorSpec& spec);

/// In one line; what is no UTF-8 is replaced by U+FFFD.
std::string json_line(const Json& json);

/// Indented by two, one line at the end; what is no UTF-8 is replaced by U+FFFD.
void print_json(std::FILE* stream, const Json& json);

}  // namespace weighbridge::cli

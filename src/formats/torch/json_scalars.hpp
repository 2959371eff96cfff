// Single values of a document as tagged JSON.
#pragma once

#include <string>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/limits.hpp>

#include "formats/torch/document.hpp"

namespace weighbridge::torch {

/// Appends None, a bool, a number, a text or bytes. False when the node is none of these.
/// Throws LimitExceeded when the text would grow above limits.sidecar_bytes.
bool append_json_scalar(std::string& out, const pickle::Graph& graph, pickle::NodeId node,
                        const Limits& limits);

/// Appends the base64 of a whole source, without quotes.
/// Throws LimitExceeded when the text would grow above limits.sidecar_bytes.
void append_base64(std::string& out, const ByteSource& bytes, const Limits& limits);

/// Whether a dict key can be a key of a JSON object: text that is valid UTF-8 and has no `$` in front.
bool is_plain_key(const pickle::Graph& graph, pickle::NodeId key);

}  // namespace weighbridge::torch

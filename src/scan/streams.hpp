// What is read off one pickle stream after it was run.
#pragma once

#include "formats/pickle/machine.hpp"
#include "scan/content.hpp"

namespace weighbridge::scanning {

/// Notes every name that the stream uses.
void note_globals(Scan& scan, const Content& content, const pickle::Graph& graph);

/// Notes why the stream broke off, judged by the opcode at which it did.
void note_failure(Scan& scan, const Content& content, const pickle::Outcome& outcome);

/// Notes calls that no writer of data makes, and looks into streams within the stream.
void note_calls(Scan& scan, const Content& content, const pickle::Graph& graph);

/// Notes a small stream that describes an enormous value by naming its own containers again and again.
void note_expansion(Scan& scan, const Content& content, const pickle::Outcome& outcome);

/// Whether the stream would have made an unpickler do something before it broke off: call anything.
bool makes_calls(const pickle::Graph& graph);

/// Whether it names anything dangerous.
bool names_danger(const pickle::Graph& graph);

}  // namespace weighbridge::scanning

// Weighbridge: model weights go in, in whatever format they come, and come out safe, exact and fast.
//
//   #include <weighbridge/weighbridge.hpp>
//
//   auto file = weighbridge::SafetensorsFile::open("model.safetensors");
//   weighbridge::TensorView embedding = file.view("embedding.weight");   // mapped, not copied
//   use(embedding.shape, embedding.bytes);
//
//   weighbridge::convert("model.pt", "model.safetensors");               // nothing in it ever runs
//
// Errors are weighbridge::Error (error.hpp). Objects without a word on threads may be used by one
// thread at a time, different objects freely.
#pragma once

#include <weighbridge/byte_source.hpp>
#include <weighbridge/checkpoint.hpp>
#include <weighbridge/convert.hpp>
#include <weighbridge/diff.hpp>
#include <weighbridge/dtype.hpp>
#include <weighbridge/edit.hpp>
#include <weighbridge/error.hpp>
#include <weighbridge/folder.hpp>
#include <weighbridge/hash.hpp>
#include <weighbridge/header.hpp>
#include <weighbridge/large_pages.hpp>
#include <weighbridge/limits.hpp>
#include <weighbridge/load.hpp>
#include <weighbridge/memory_pool.hpp>
#include <weighbridge/safetensors_file.hpp>
#include <weighbridge/scan.hpp>
#include <weighbridge/slice.hpp>
#include <weighbridge/tensor.hpp>
#include <weighbridge/text.hpp>
#include <weighbridge/version.hpp>
#include <weighbridge/worker.hpp>
#include <weighbridge/write.hpp>
#include <weighbridge/writer.hpp>

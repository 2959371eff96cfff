// Checkpoints in memory, small enough to be seen whole.
#pragma once

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <weighbridge/checkpoint.hpp>

#include <gtest/gtest.h>

namespace weighbridge::test {

inline Error error_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ErrorCode::IoError, "nothing was thrown"};
}

template <class T>
SourcePtr source_of(const std::vector<T>& numbers) {
  std::string bytes(numbers.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return memory_source(Buffer::take(std::move(bytes)));
}

inline TensorEntry tensor(std::string name, std::vector<float> numbers) {
  return {.spec = {.name = std::move(name), .dtype = DType::F32, .shape = {numbers.size()}},
          .data = {.source = source_of(numbers)}};
}

inline Checkpoint checkpoint(std::vector<TensorEntry> tensors) {
  Checkpoint result;
  result.format = "test";
  result.tensors = std::move(tensors);
  return result;
}

inline std::vector<std::string> names_of(const Checkpoint& checkpoint) {
  std::vector<std::string> names;
  for (const TensorEntry& entry : checkpoint.tensors) names.push_back(entry.spec.name);
  return names;
}

inline std::vector<std::string> codes_of(const Findings& findings) {
  std::vector<std::string> codes;
  for (const Finding& finding : findings) codes.push_back(finding.code);
  return codes;
}

}  // namespace weighbridge::test

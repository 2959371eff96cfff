// Work in a worker as a program uses it.
#include <array>
#include <csignal>
#include <new>
#include <thread>

#include <weighbridge/convert.hpp>
#include <weighbridge/hash.hpp>
#include <weighbridge/worker.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "support/temp_folder.hpp"

namespace weighbridge {
namespace {

using test::get_file;
using test::put_file;
using test::TempFolder;
using testing::HasSubstr;

WorkerResult run_without_files(const std::function<int(WorkerFiles&)>& work) { return run_worker({}, work); }

Error error_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ErrorCode::IoError, "nothing was thrown"};
}

TEST(Worker, IsAnotherProcess) {
  int here = 1;
  const WorkerResult result = run_without_files([&](WorkerFiles&) { return here = 3; });
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(here, 1) << "the caller's memory";
}

TEST(Worker, IsTheCallerWhenTheSandboxIsOff) {
  WorkerOptions options;
  options.sandbox = SandboxMode::Off;
  int here = 1;
  const WorkerResult result = run_worker(options, [&](WorkerFiles& files) {
    files.put_result("bytes");
    return here = 3;
  });
  EXPECT_EQ(here, 3);
  EXPECT_EQ(result.bytes, "bytes");
}

TEST(Worker, HandsALargeResultOver) {
  std::string bytes(1'000'000, 'x');
  bytes += std::string("\0end", 4);
  const WorkerResult result = run_without_files([&](WorkerFiles& files) {
    files.put_result(bytes);
    files.put_result("!");
    return 0;
  });
  EXPECT_EQ(result.bytes, bytes + "!");
}

TEST(Worker, RefusesAResultThatIsTooLarge) {
  for (const SandboxMode mode : {SandboxMode::Best, SandboxMode::Off}) {
    WorkerOptions options;
    options.sandbox = mode;
    options.result_bytes = 10;
    const Error error = error_of([&] {
      run_worker(options, [](WorkerFiles& files) {
        files.put_result("0123456789");
        files.put_result("x");
        return 0;
      });
    });
    EXPECT_EQ(error.code(), ErrorCode::LimitExceeded);
  }
}

TEST(Worker, ThrowsItsErrorsInTheCaller) {
  const Error error = error_of([] {
    run_without_files(
        [](WorkerFiles&) -> int { throw Error(ErrorCode::TensorOutOfBounds, "message", "subject", 12); });
  });
  EXPECT_EQ(error.code(), ErrorCode::TensorOutOfBounds);
  EXPECT_STREQ(error.what(), "message");
  EXPECT_EQ(error.subject(), "subject");
  EXPECT_EQ(error.offset(), 12U);
}

TEST(Worker, ThrowsThatItsMemoryIsUsedUp) {
  EXPECT_THROW(run_without_files([](WorkerFiles&) -> int { throw std::bad_alloc(); }), std::bad_alloc);
}

TEST(Worker, ReportsAllOtherExceptionsAsErrors) {
  const Error error =
      error_of([] { run_without_files([](WorkerFiles&) -> int { throw std::runtime_error("odd"); }); });
  EXPECT_STREQ(error.what(), "odd");
}

TEST(Worker, SaysWhatKilledIt) {
  const auto killed_by = [](int signal) {
    const WorkerResult result = run_without_files([=](WorkerFiles&) {
      std::signal(signal, SIG_DFL);  // a sanitizer would take it for a fault of its own
      return ::raise(signal);
    });
    EXPECT_EQ(result.signal, signal);
    return worker_error(result).value();
  };
  EXPECT_THAT(killed_by(SIGSEGV).what(), HasSubstr("crashed (Segmentation fault)"));
  EXPECT_EQ(killed_by(SIGSEGV).code(), ErrorCode::WorkerStopped);
  EXPECT_THAT(killed_by(SIGBUS).what(), HasSubstr("the input changed while it was read"));
  EXPECT_EQ(killed_by(SIGBUS).code(), ErrorCode::IoError);
  EXPECT_THAT(killed_by(SIGXCPU).what(), HasSubstr("processor time"));
  EXPECT_EQ(killed_by(SIGXCPU).code(), ErrorCode::LimitExceeded);
  EXPECT_THAT(killed_by(SIGKILL).what(), HasSubstr("was killed"));
  EXPECT_FALSE(worker_error({}).has_value());
}

TEST(Worker, ReadsItsInputsAndWhatStandsBesideThem) {
  const TempFolder dir;
  put_file(dir / "a", "first");
  put_file(dir / "b", "second");
  put_file(dir / "c", "third");
  for (const SandboxMode mode : {SandboxMode::Best, SandboxMode::Off}) {
    WorkerOptions options;
    options.sandbox = mode;
    options.inputs = {dir / "a", dir / "b"};
    const WorkerResult result = run_worker(options, [](WorkerFiles& files) {
      files.put_result(sha256(*files.open_input(1)).substr(0, 8) + " ");
      files.put_result(std::to_string(files.input_folder()->find("c")->size()));
      return files.input_folder()->find("d") == nullptr ? 0 : 1;
    });
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(result.bytes, "16367aac 5");
  }
}

TEST(Worker, NamesFilesInItsErrorsAsTheCallerDid) {
  const TempFolder dir;
  WorkerOptions options;
  options.inputs = {dir / "missing"};
  const auto open_it = [&] {
    run_worker(options, [](WorkerFiles& files) { return static_cast<int>(files.open_input()->size()); });
  };
  const Error error = error_of(open_it);
  EXPECT_EQ(error.code(), ErrorCode::IoError);
  EXPECT_EQ(error.system_error(), ENOENT);
  options.sandbox = SandboxMode::Off;
  EXPECT_STREQ(error.what(), error_of(open_it).what());
}

TEST(Worker, AsksFromSeveralThreads) {
  const TempFolder dir;
  for (int i = 0; i < 8; ++i)
    put_file(dir / std::to_string(i), std::string(static_cast<std::size_t>(i), 'x'));
  WorkerOptions options;
  options.inputs = {dir / "0"};
  const WorkerResult result = run_worker(options, [](WorkerFiles& files) {
    const InputFolderPtr folder = files.input_folder();
    std::array<std::uint64_t, 8> sizes{};
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        threads.emplace_back([&, i] {
          for (int round = 0; round < 20; ++round) sizes[i] += folder->find(std::to_string(i))->size();
        });
      }
    }
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      if (sizes[i] != i * 20) return 1;
    }
    return 0;
  });
  EXPECT_EQ(result.exit_code, 0);
}

/// Writes "new" to two files of the output, and commits if it is told to.
int write_two(WorkerFiles& files, bool commit) {
  for (const char* name : {"out.a", "out.b"}) {
    if (::write(files.output_folder().create(name), "new", 3) != 3) return 1;
  }
  if (commit) files.output_folder().commit();
  return 0;
}

TEST(Worker, WritesItsOutputWhenItCommits) {
  const TempFolder dir;
  WorkerOptions options;
  options.output = dir / "out.a";
  EXPECT_EQ(run_worker(options, [](WorkerFiles& files) { return write_two(files, true); }).exit_code, 0);
  EXPECT_EQ(get_file(dir / "out.a") + get_file(dir / "out.b"), "newnew");
  EXPECT_EQ(dir.entries(), 2U);
}

TEST(Worker, LeavesNothingBehindWhenItDoesNot) {
  const TempFolder dir;
  WorkerOptions options;
  options.output = dir / "out.a";
  EXPECT_EQ(run_worker(options, [](WorkerFiles& files) { return write_two(files, false); }).exit_code, 0);
  EXPECT_EQ(dir.entries(), 0U);
}

TEST(Worker, KilledHalfWayLeavesTheOldOutput) {
  const TempFolder dir;
  put_file(dir / "out.a", "old");
  WorkerOptions options;
  options.output = dir / "out.a";
  options.write.overwrite = true;
  const WorkerResult result = run_worker(options, [](WorkerFiles& files) {
    write_two(files, false);
    return ::raise(SIGKILL);
  });
  EXPECT_EQ(result.signal, SIGKILL);
  EXPECT_EQ(get_file(dir / "out.a"), "old");
  EXPECT_EQ(dir.entries(), 1U);
}

TEST(Worker, WithoutAnOutputHasNone) {
  const Error error =
      error_of([] { run_without_files([](WorkerFiles& files) { return write_two(files, true); }); });
  EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
}

TEST(Worker, RequiringAllLayersRunsOnlyWithAll) {
  bool all = true;
  for (const SandboxLayer& layer : probe_sandbox()) all = all && layer.held;
  WorkerOptions options;
  options.sandbox = SandboxMode::Require;
  const auto work = [](WorkerFiles&) { return 5; };
  if (all) {
    EXPECT_EQ(run_worker(options, work).exit_code, 5);
  } else {
    EXPECT_EQ(error_of([&] { run_worker(options, work); }).code(), ErrorCode::IoError);
  }
}

TEST(Worker, ThatLeavesTheBrokerButRunsOnIsEnded) {
  const WorkerResult result = run_without_files([](WorkerFiles&) {
    for (int descriptor = 3; descriptor < 100; ++descriptor) ::close(descriptor);
    while (true) std::this_thread::sleep_for(std::chrono::hours(1));
    return 0;
  });
  EXPECT_EQ(result.signal, SIGKILL);
}

TEST(Worker, ConvertsAndHashesUnderAllLayers) {
  const TempFolder dir;
  static constexpr std::array<float, 6> kValues = {0, 1, 2, 3, 4, 5};
  static constexpr std::array<std::uint64_t, 2> kShape = {2, 3};
  const TensorView view{
      .name = "w", .dtype = DType::F32, .shape = kShape, .bytes = std::as_bytes(std::span(kValues))};
  save_tensors({&view, 1}, dir / "in.safetensors");
  convert(dir / "in.safetensors", dir / "expected.safetensors");
  WorkerOptions options;
  options.inputs = {dir / "in.safetensors"};
  options.output = dir / "out.safetensors";
  const WorkerResult result = run_worker(options, [](WorkerFiles& files) {
    ConvertOptions convert_options;
    convert_options.open.folder = files.input_folder();
    convert_options.write.threads = 4;
    const Conversion conversion = plan_conversion(files.open_input(), "out.safetensors", convert_options);
    write_conversion(conversion, files.output_folder(), convert_options);
    return 0;
  });
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(get_file(dir / "out.safetensors"), get_file(dir / "expected.safetensors"));
}

}  // namespace
}  // namespace weighbridge

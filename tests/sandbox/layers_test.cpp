// Each layer by itself: what a worker tries succeeds without the layer, and fails with it alone.
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/descriptor.hpp"
#include "sandbox/attempt.hpp"
#include "support/temp_folder.hpp"

namespace weighbridge::sandbox::test {
namespace {

using weighbridge::test::TempFolder;

// Landlock and the filter of system calls build on this one.
constexpr LayerSet kLandlock = {Layer::NoNewPrivileges, Layer::Landlock};

int open_passwd() { return outcome(::open("/etc/passwd", O_RDONLY | O_CLOEXEC)); }

TEST(LandlockLayer, RefusesToOpenAFile) {
  WB_SKIP_WITHOUT_LAYER(expect_error(kLandlock, open_passwd, EACCES);)
}

TEST(LandlockLayer, RefusesToListAFolder) {
  WB_SKIP_WITHOUT_LAYER(
      expect_error(kLandlock, [] { return outcome(::open("/", O_RDONLY | O_DIRECTORY)); }, EACCES);)
}

TEST(LandlockLayer, RefusesToCreateAFile) {
  const TempFolder dir;
  const std::string path = dir / "new";
  WB_SKIP_WITHOUT_LAYER(
      expect_error(
          kLandlock, [&] { return outcome(::open(path.c_str(), O_CREAT | O_WRONLY, 0600)); }, EACCES);)
}

TEST(LandlockLayer, RefusesToRemoveAFile) {
  const TempFolder dir;
  const std::string path = dir / "old";
  weighbridge::test::put_file(path, "x");
  const auto remove = [&] { return outcome(::unlink(path.c_str())); };
  WB_SKIP_WITHOUT_LAYER(EXPECT_EQ(attempt_under(kLandlock, remove).exit_code, EACCES);
                        EXPECT_EQ(attempt_under({}, remove).exit_code, 0);)
}

int execute_program() {
  const pid_t child = ::fork();
  if (child == 0) {
    std::array<char*, 1> none{nullptr};
    ::execve("/bin/true", none.data(), none.data());
    ::_exit(errno);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

TEST(LandlockLayer, RefusesToExecute) {
  WB_SKIP_WITHOUT_LAYER(expect_error(kLandlock, execute_program, EACCES);)
}

/// A server on this machine that a worker may try to reach.
class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address_;
    auto* address = reinterpret_cast<sockaddr*>(&address_);
    if (::bind(socket_.get(), address, length) != 0 || ::listen(socket_.get(), 1) != 0 ||
        ::getsockname(socket_.get(), address, &length) != 0) {
      throw NotHere(std::string("no server on this machine: ") + std::strerror(errno));
    }
  }
  [[nodiscard]] int connect() const {
    const int client = ::socket(AF_INET, SOCK_STREAM, 0);
    if (client < 0) return errno;
    return outcome(::connect(client, reinterpret_cast<const sockaddr*>(&address_), sizeof address_));
  }

 private:
  io::Descriptor socket_;
  sockaddr_in address_{};
};

TEST(LandlockLayer, RefusesToConnect) {
  WB_SKIP_WITHOUT_LAYER(if (::syscall(444, nullptr, 0, 1) < 4) throw NotHere("Landlock below ABI 4");
                        const Listener listener;
                        expect_error(kLandlock, [&] { return listener.connect(); }, EACCES);)
}

TEST(LandlockLayer, RefusesToTraceTheBroker) {
  WB_SKIP_WITHOUT_LAYER(
      expect_error(kLandlock, [] { return outcome(::ptrace(PTRACE_SEIZE, ::getppid(), 0, 0)); }, EPERM);)
}

TEST(LandlockLayer, RefusesToSignalTheBroker) {
  WB_SKIP_WITHOUT_LAYER(if (::syscall(444, nullptr, 0, 1) < 6) throw NotHere("Landlock below ABI 6");
                        expect_error(kLandlock, [] { return outcome(::kill(::getppid(), 0)); }, EPERM);)
}

TEST(NamespacesLayer, HasNoNetwork) {
  WB_SKIP_WITHOUT_LAYER(const Listener listener;
                        expect_error({Layer::Namespaces}, [&] { return listener.connect(); }, ENETUNREACH);)
}

TEST(NamespacesLayer, MayNotTraceTheBroker) {
  WB_SKIP_WITHOUT_LAYER(
      expect_error(
          {Layer::Namespaces}, [] { return outcome(::ptrace(PTRACE_SEIZE, ::getppid(), 0, 0)); }, EPERM);)
}

TEST(RootLayer, ShowsNoFile) {
  WB_SKIP_WITHOUT_LAYER(expect_error({Layer::Namespaces, Layer::Root}, open_passwd, ENOENT);
                        // It is this layer, not the one that it needs.
                        EXPECT_EQ(attempt_under({Layer::Namespaces}, open_passwd).exit_code, 0);)
}

TEST(RootLayer, ShowsNotEvenThatAFileExists) {
  const auto look = [] { return outcome(::access("/etc", F_OK)); };
  WB_SKIP_WITHOUT_LAYER(expect_error({Layer::Namespaces, Layer::Root}, look, ENOENT);
                        EXPECT_EQ(attempt_under({Layer::Namespaces}, look).exit_code, 0);)
}

int leave_root() { return outcome(::chroot("/proc")); }

TEST(CapabilitiesLayer, TakesWhatTheNamespaceGave) {
  WB_SKIP_WITHOUT_LAYER(
      EXPECT_EQ(attempt_under({Layer::Namespaces}, leave_root).exit_code, 0);
      EXPECT_EQ(attempt_under({Layer::Namespaces, Layer::Capabilities}, leave_root).exit_code, EPERM);)
}

TEST(NoNewPrivilegesLayer, IsOnForGood) {
  const auto is_off = [] { return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 ? 0 : EPERM; };
  WB_SKIP_WITHOUT_LAYER(expect_error({Layer::NoNewPrivileges}, is_off, EPERM);)
}

TEST(UndumpableLayer, HidesTheWorkerFromOthers) {
  const auto is_open = [] { return ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1 ? 0 : EPERM; };
  WB_SKIP_WITHOUT_LAYER(expect_error({Layer::Undumpable}, is_open, EPERM);)
}

TEST(DescriptorsLayer, ClosesWhatTheCallerHadOpen) {
  const io::Descriptor secret(::open("/etc/passwd", O_RDONLY));
  const auto use = [&] { return outcome(::fcntl(secret.get(), F_GETFD)); };
  WB_SKIP_WITHOUT_LAYER(expect_error({Layer::Descriptors}, use, EBADF);)
}

TEST(DescriptorsLayer, EmptiesStandardInput) {
  const auto read_input = [] {
    char byte = 0;
    return ::read(STDIN_FILENO, &byte, 1) == 0 ? 0 : 1;
  };
  WB_SKIP_WITHOUT_LAYER(EXPECT_EQ(attempt_under({Layer::Descriptors}, read_input).exit_code, 0);)
}

TEST(EnvironmentLayer, OverwritesEverySecret) {
  ASSERT_EQ(::setenv("WEIGHBRIDGE_TEST_SECRET", "hunter2", 1), 0);
  const char* text = std::getenv("WEIGHBRIDGE_TEST_SECRET");
  const auto look = [&] {
    const bool found = std::getenv("WEIGHBRIDGE_TEST_SECRET") != nullptr || std::strlen(text) > 0;
    return found ? 0 : ENOENT;
  };
  WB_SKIP_WITHOUT_LAYER(expect_error({Layer::Environment}, look, ENOENT);)
  EXPECT_STREQ(std::getenv("WEIGHBRIDGE_TEST_SECRET"), "hunter2") << "the caller's own must stay";
}

TEST(EnvironmentLayer, KeepsWhatTerminalsNeed) {
  ASSERT_EQ(::setenv("NO_COLOR", "1", 1), 0);
  const auto look = [] { return std::getenv("NO_COLOR") != nullptr ? 0 : ENOENT; };
  WB_SKIP_WITHOUT_LAYER(EXPECT_EQ(attempt_under({Layer::Environment}, look).exit_code, 0);)
}

bool memory_is_bounded() {
  bool bounded = false;
  for (const SandboxLayer& layer : probe_sandbox()) bounded = bounded || layer.detail.starts_with("memory");
  return bounded;
}

int take_10_gb() {
  void* memory = ::mmap(nullptr, 10'000'000'000, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? errno : 0;
}

TEST(LimitsLayer, BoundsMemory) {
  if (!memory_is_bounded()) GTEST_SKIP() << "a sanitizer's memory cannot be bounded";
  WB_SKIP_WITHOUT_LAYER(expect_error({Layer::Limits}, take_10_gb, ENOMEM);)
}

TEST(LimitsLayer, BoundsProcessorTime) {
  WorkerOptions options;
  options.cpu_seconds = 1;
  const auto loop = [] {
    volatile bool forever = true;
    while (forever) {
    }
    return 0;
  };
  WB_SKIP_WITHOUT_LAYER(EXPECT_EQ(attempt_under({Layer::Limits}, loop, options).signal, SIGXCPU);)
}

TEST(LimitsLayer, BoundsTheSizeOfFiles) {
  const TempFolder dir;
  const std::string path = dir / "large";
  const auto write_2_mib = [&] {
    const std::string bytes(2 << 20, 'x');
    const io::Descriptor file(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
    if (::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size())) return 0;
    return outcome(::write(file.get(), bytes.data(), bytes.size()));
  };
  WorkerOptions options;
  options.output_bytes = 1 << 20;
  WB_SKIP_WITHOUT_LAYER(EXPECT_EQ(attempt_under({}, write_2_mib, options).exit_code, 0);
                        EXPECT_EQ(attempt_under({Layer::Limits}, write_2_mib, options).exit_code, EFBIG);)
  EXPECT_EQ(std::filesystem::file_size(path), 2U << 20) << "of the attempt without the layer";
}

TEST(LimitsLayer, LeavesNoCoreFile) {
  const auto core = [] {
    rlimit limit{};
    ::getrlimit(RLIMIT_CORE, &limit);
    return limit.rlim_max == 0 ? 0 : 1;
  };
  WB_SKIP_WITHOUT_LAYER(EXPECT_EQ(attempt_under({Layer::Limits}, core).exit_code, 0);)
}

TEST(AllLayers, AreReportedInOrder) {
  const auto layers = probe_sandbox();
  ASSERT_EQ(layers.size(), kAllLayers.size());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    EXPECT_EQ(layers[i].name, layer_name(kAllLayers[i]));
    EXPECT_FALSE(layers[i].detail.empty());
  }
}

}  // namespace
}  // namespace weighbridge::sandbox::test

#include "tests/difftest/on_qemu.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

#include "core/check.hpp"
#include "core/extensions.hpp"

namespace retrov::difftest {

/// A file of the size of RAM, mapped; gone with the object.
class SharedRam {
 public:
  explicit SharedRam(const std::string& folder) : path_(folder + "/difftest-XXXXXX") {
    const int file = mkstemp(path_.data());
    if (file < 0 || ftruncate(file, DT_RAM_BYTES) != 0) throw Error(Exit::kIo, "cannot create " + path_);
    void* mapped = mmap(nullptr, DT_RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapped == MAP_FAILED) throw Error(Exit::kIo, "cannot map " + path_);
    bytes_ = static_cast<u8*>(mapped);
  }
  ~SharedRam() {
    munmap(bytes_, DT_RAM_BYTES);
    unlink(path_.c_str());
  }
  SharedRam(const SharedRam&) = delete;
  SharedRam& operator=(const SharedRam&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  void put(u64 at, const void* from, u64 size_bytes) { std::memcpy(bytes_ + (at - DT_RAM), from, size_bytes); }
  void put(u64 at, u64 word) { put(at, &word, sizeof word); }
  void get(u64 at, void* to, u64 size_bytes) const { std::memcpy(to, bytes_ + (at - DT_RAM), size_bytes); }
  [[nodiscard]] u64 get(u64 at) const {
    u64 word = 0;
    get(at, &word, sizeof word);
    return word;
  }

 private:
  std::string path_;
  u8* bytes_ = nullptr;
};

namespace {

constexpr u64 kFirstRecord = DT_LOGS + 0x2000000;
constexpr u64 kMostPrograms = 0x2000000 / DT_LOG_BYTES;
/// Of DT_L_STATE, with which a log begins.
constexpr u64 kBegun = 1, kEnded = 2;
static_assert(DT_L_STATE == 0);
constexpr u64 kMostRecordBytes = 0x10000;
static_assert(kFirstRecord < DT_RAM + DT_RAM_BYTES);
/// A program takes a millisecond; one that has taken so long has lost its way.
constexpr std::chrono::seconds kHangs{60};

/// QEMU has no switch for these: they say what is true of it anyway.
constexpr std::string_view kWithoutSwitch[] = {"i",      "zic64b",  "ziccamoa",     "ziccif",  "zicclsm", "ziccrse",
                                               "za64rs", "ssccptr", "sscounterenw", "sstvala", "sstvecd", "ssu64xl"};

constexpr u64 log_of(u64 index) { return DT_LOGS + index * DT_LOG_BYTES; }

/// A processor with nothing, and what ours has.
std::string cpu() {
  std::string text = "rv64i,s=on,u=on,mmu=on,pmp=on,mvendorid=0,marchid=0,pmu-mask=0xfffffff8";
  for (const ExtensionRow& row : extension_rows()) {
    const bool has_switch =
        std::find(std::begin(kWithoutSwitch), std::end(kWithoutSwitch), row.name) == std::end(kWithoutSwitch);
    if (has_switch && default_extensions().has(row.id)) text += "," + std::string(row.name) + "=on";
  }
  return text;
}

pid_t start(const std::string& qemu, const SharedRam& ram, Translation translation) {
  const std::string size = std::to_string(DT_RAM_BYTES >> 20) + "M";
  std::vector<std::string> words = {qemu,
                                    "-M",
                                    "virt,memory-backend=ram",
                                    "-m",
                                    size,
                                    "-object",
                                    "memory-backend-file,id=ram,share=on,size=" + size + ",mem-path=" + ram.path(),
                                    "-cpu",
                                    cpu(),
                                    "-bios",
                                    "none",
                                    "-nodefaults",
                                    "-display",
                                    "none",
                                    "-serial",
                                    "none",
                                    "-monitor",
                                    "none"};
  if (translation == Translation::kSingle) words.insert(words.end(), {"-accel", "tcg,one-insn-per-tb=on"});
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t child = fork();
  if (child < 0) throw Error(Exit::kUnavailable, "cannot start another process");
  if (child == 0) {
    execv(qemu.c_str(), arguments.data());
    _exit(127);
  }
  return child;
}

enum class End : u8 { kFinished, kHung, kDied };

/// Until the guest has powered off, or makes no progress.
End wait_for(pid_t child, const SharedRam& ram) {
  u64 index = 0;
  auto since = std::chrono::steady_clock::now();
  for (;;) {
    int status = 0;
    if (waitpid(child, &status, WNOHANG) == child) {
      return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? End::kFinished : End::kDied;
    }
    const auto now = std::chrono::steady_clock::now();
    const u64 at = ram.get(DT_FRAME + DT_F_INDEX);
    if (at != index) index = at, since = now;
    if (now - since > kHangs) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      return End::kHung;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace

std::optional<Place> ProgramBatch::next_place() const {
  const u64 at = programs.empty() ? kFirstRecord : next_record;
  if (programs.size() >= kMostPrograms || at + kMostRecordBytes > DT_RAM + DT_RAM_BYTES) return std::nullopt;
  return Place{programs.size(), at};
}

void ProgramBatch::add(Program program, const Place& place) {
  next_record = place.record_at + record_of(program).size() * 8;
  RV_CHECK(next_record <= place.record_at + kMostRecordBytes);
  programs.push_back(std::move(program));
  places.push_back(place);
}

OnQemu::OnQemu(const RunnerImage& runner, std::string qemu, std::string folder)
    : runner_(runner), qemu_(std::move(qemu)), folder_(std::move(folder)) {}

/// Everything except the logs of the programs before that one.
void OnQemu::load(SharedRam& ram, const ProgramBatch& batch, u64 index) const {
  ram.put(DT_RAM, runner_.bytes.data(), runner_.bytes.size());
  const std::vector<u8> empty_log(DT_LOG_BYTES);
  for (std::size_t i = index; i < batch.programs.size(); ++i) {
    const std::vector<u64> record = record_of(batch.programs[i]);
    ram.put(batch.places[i].record_at, record.data(), record.size() * 8);
    ram.put(DT_RECORDS + 8 * i, batch.places[i].record_at);
    ram.put(log_of(i), empty_log.data(), empty_log.size());
  }
  ram.put(DT_FRAME + DT_F_INDEX, index);
  ram.put(DT_FRAME + DT_F_COUNT, batch.programs.size());
}

std::vector<std::vector<u64>> OnQemu::run(const ProgramBatch& batch, Translation translation) const {
  SharedRam ram(folder_);
  for (u64 index = 0; index < batch.programs.size();) {
    load(ram, batch, index);
    const End end = wait_for(start(qemu_, ram, translation), ram);
    // What came to grief may have overwritten anything, the runner's index, too: only the logs before it count.
    u64 next = index;
    while (next < batch.programs.size() && ram.get(log_of(next)) == kEnded) ++next;
    const bool begun = next < batch.programs.size() && ram.get(log_of(next)) != 0;
    if (!begun && next == index) throw Error(Exit::kUnavailable, qemu_ + " does not run");
    // Between two programs it is the one before that has broken the runner.
    if (!begun && end != End::kFinished) ram.put(log_of(next - 1), kBegun);
    // On without the program that has not ended.
    index = begun ? next + 1 : next;
  }
  std::vector<std::vector<u64>> logs(batch.programs.size(), std::vector<u64>(DT_LOG_BYTES / 8));
  for (u64 i = 0; i < logs.size(); ++i) ram.get(log_of(i), logs[i].data(), DT_LOG_BYTES);
  return logs;
}

}  // namespace retrov::difftest

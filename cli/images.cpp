#include "cli/images.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "core/check.hpp"
#include "replay/disks.hpp"

namespace retrov {

namespace {

namespace fs = std::filesystem;

constexpr u64 kMostBytes = u64{4} << 30;

Exit exit_of(int error) {
  if (error == ENOENT || error == ENOTDIR || error == EISDIR) return Exit::kNoInput;
  return error == EACCES || error == EPERM ? Exit::kNoPermission : Exit::kIo;
}

[[noreturn]] void refuse(const std::string& role, const std::string& path, int error) {
  throw Error(exit_of(error), role + " " + path + ": " + std::generic_category().message(error));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

std::string installed_firmware() {
  std::error_code failure;
  const fs::path self = fs::read_symlink("/proc/self/exe", failure);
  return failure ? std::string() : (self.parent_path().parent_path() / "share/retrov/fw_dynamic.bin").string();
}

/// Throws Error if the image cannot be opened. Opening a pipe would wait for its writer.
DiskImage open_drive(const DriveWords& drive, DiskImage::Access access) {
  struct stat facts {};
  if (stat(drive.file.c_str(), &facts) != 0) refuse("drive", drive.file, errno);
  if (!S_ISREG(facts.st_mode) && !S_ISBLK(facts.st_mode)) {
    throw Error(Exit::kNoInput, "drive " + drive.file + ": neither a file nor a block device");
  }
  return DiskImage(drive.file, access);
}

void add_disk(LoadedMachine& machine, const DiskPlan& plan) {
  const DriveWords& drive = *plan.drive;
  const DiskImage image = open_drive(drive, DiskImage::Access::kRead);
  DiskConfig disk;
  disk.slot = static_cast<u8>(plan.slot);
  disk.size_bytes = (image.size_bytes() + kDiskSectorBytes - 1) / kDiskSectorBytes * kDiskSectorBytes;
  disk.read_only = drive.read_only;
  disk.keeps_image = drive.keeps_image;
  disk.id = plan.id;
  if (disk.size_bytes == 0) throw Error(Exit::kNoInput, "drive " + drive.file + ": the image is empty");
  const bool writes = !drive.keeps_image && !drive.read_only;
  // That it cannot be written is said before the guest has worked for an hour.
  if (writes) open_drive(drive, DiskImage::Access::kWrite);
  machine.board.disks.push_back(disk);
  machine.disk_images.push_back(drive.file);
  machine.writes_image.push_back(writes);
}

/// What is behind the last byte that is not zero costs a trace nothing.
void add_flash(BoardConfig& board, const FlashPlan& plan) {
  const DriveWords& drive = *plan.drive;
  if (!drive.keeps_image) {
    throw Error(Exit::kUsage, "drive " + drive.file + ": snapshot=off is not possible for pflash");
  }
  Image image = read_image("pflash", drive.file);
  if (image.bytes.size() != kFlashUnitBytes) {
    throw Error(Exit::kUsage, "pflash " + drive.file + ": unit " + std::to_string(plan.unit) + " is " +
                                  std::to_string(kFlashUnitBytes) + " bytes large and the file " +
                                  std::to_string(image.bytes.size()) +
                                  (image.bytes.size() < kFlashUnitBytes ? "; 'truncate -s 32M' fills it up" : ""));
  }
  while (!image.bytes.empty() && image.bytes.back() == 0) image.bytes.pop_back();
  image.bytes.shrink_to_fit();
  FlashConfig flash;
  flash.unit = static_cast<u8>(plan.unit);
  flash.read_only = drive.read_only;
  flash.id = drive.id.empty() ? fs::path(drive.file).filename().string() : drive.id;
  flash.image = {flash_at(plan.unit), std::move(image.bytes)};
  board.flash.push_back(std::move(flash));
}

}  // namespace

void require_readable(const std::string& role, const std::string& path) {
  if (access(path.c_str(), R_OK) != 0) refuse(role, path, errno);
}

Image read_image(const std::string& role, const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (file.get() < 0) refuse(role, path, errno);
  struct stat facts {};
  if (fstat(file.get(), &facts) != 0) refuse(role, path, errno);
  if (S_ISDIR(facts.st_mode)) refuse(role, path, EISDIR);
  if (!S_ISREG(facts.st_mode) && !S_ISFIFO(facts.st_mode)) {
    throw Error(Exit::kNoInput, role + " " + path + ": neither a file nor a pipe");
  }
  const auto refuse_size = [&] {
    throw Error(Exit::kUsage, role + " " + path + ": larger than any image can be (4 GiB)");
  };
  const u64 size_bytes = static_cast<u64>(std::max<off_t>(facts.st_size, 0));
  if (size_bytes > kMostBytes) refuse_size();
  Image image{path, {}};
  image.bytes.reserve(size_bytes);
  std::vector<u8> piece(std::size_t{1} << 20);
  for (;;) {
    const ssize_t count = read(file.get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) refuse(role, path, errno);
    if (count == 0) return image;
    image.bytes.insert(image.bytes.end(), piece.begin(), piece.begin() + count);
    if (image.bytes.size() > kMostBytes) refuse_size();
  }
}

std::string find_firmware() {
  const std::array<std::string, 4> places = {
      installed_firmware(), "/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin",
      "/usr/share/qemu/opensbi-riscv64-generic-fw_dynamic.bin", "/usr/share/opensbi/generic/fw_dynamic.bin"};
  for (const std::string& place : places) {
    if (!place.empty() && access(place.c_str(), R_OK) == 0) return place;
  }
  throw Error(Exit::kNoInput,
              "no firmware found for -bios default: install the package opensbi, or give -bios FILE|none");
}

LoadedMachine load_machine(const MachineWords& words) {
  LoadedMachine machine;
  BoardConfig& board = machine.board;
  board.machine.ram_bytes = words.ram_bytes;
  board.machine.harts = words.harts;
  board.machine.extensions = words.extensions;
  board.machine.turn_steps = words.turn_steps;
  board.virtio_legacy = words.virtio_legacy;
  for (const DiskPlan& plan : plan_disks(words)) add_disk(machine, plan);
  for (const FlashPlan& plan : plan_flash(words)) add_flash(board, plan);
  // Drives that no device has are opened, too: a name mistyped there is no smaller mistake.
  for (const DriveWords& drive : words.drives) open_drive(drive, DiskImage::Access::kRead);
  validate(board, Exit::kUsage);

  BootImages& images = machine.images;
  images.append = words.append;
  images.htif = words.htif;
  if (words.bios != "none") {
    images.bios = read_image("firmware", words.bios == "default" ? find_firmware() : words.bios);
  }
  if (!words.kernel.empty()) images.kernel = read_image("kernel", words.kernel);
  if (!words.initrd.empty()) images.initrd = read_image("initrd", words.initrd);
  if (!words.dtb.empty()) images.dtb = read_image("device tree", words.dtb);
  if (!images.bios && !images.kernel && find_flash(board, 0) == nullptr) {
    throw Error(Exit::kUsage, "nothing to run: give -kernel FILE or -bios FILE");
  }
  place_images(board, images);
  return machine;
}

std::string guest_name(const MachineWords& words) {
  const std::vector<FlashPlan> flash = plan_flash(words);
  std::string file = words.kernel.empty() ? words.bios : words.kernel;
  if (words.kernel.empty() && !flash.empty() && flash[0].unit == 0) file = flash[0].drive->file;
  std::string name = fs::path(file).filename().string();
  return name.empty() ? "guest" : name;
}

}  // namespace retrov

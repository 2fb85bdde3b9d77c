#include "devices/board.hpp"
#include "devices/board_devices.hpp"
#include "devices/fdt.hpp"
#include "devices/flash.hpp"
#include "devices/test_finisher.hpp"

namespace retrov {

namespace {

constexpr u64 kRngSeedBytes = 32;
constexpr u32 kCacheBlockBytes = 64;

void describe_cpu(FdtNode& cpus, unsigned hart, ExtensionSet extensions) {
  FdtNode cpu = cpus.child("cpu@" + std::to_string(hart));
  cpu.text("device_type", "cpu");
  cpu.cell("reg", hart);
  cpu.text("status", "okay");
  cpu.text("compatible", "riscv");
  cpu.cell("phandle", cpu_phandle(hart));
  cpu.text("mmu-type", mmu_type(extensions));
  // Both spellings: kernels before 6.7 read only the first, from 6.12 on they may be built to read only the second.
  cpu.text("riscv,isa", isa_string(extensions, WithModes::kNo));
  cpu.text("riscv,isa-base", "rv64i");
  cpu.texts("riscv,isa-extensions", isa_names(extensions));
  if (extensions.has(Extension::kZicbom)) cpu.cell("riscv,cbom-block-size", kCacheBlockBytes);
  if (extensions.has(Extension::kZicbop)) cpu.cell("riscv,cbop-block-size", kCacheBlockBytes);
  if (extensions.has(Extension::kZicboz)) cpu.cell("riscv,cboz-block-size", kCacheBlockBytes);
  FdtNode intc = cpu.child("interrupt-controller");
  intc.text("compatible", "riscv,cpu-intc");
  intc.cell("#interrupt-cells", 1);
  intc.flag("interrupt-controller");
  intc.cell("phandle", cpu_intc_phandle(hart));
}

void describe_cpus(FdtNode& root, unsigned harts, ExtensionSet extensions) {
  FdtNode cpus = root.child("cpus");
  cpus.cell("#address-cells", 1);
  cpus.cell("#size-cells", 0);
  cpus.cell("timebase-frequency", kTicksPerSecond);
  for (unsigned hart = 0; hart < harts; ++hart) describe_cpu(cpus, hart, extensions);
  FdtNode map = cpus.child("cpu-map");
  FdtNode cluster = map.child("cluster0");
  for (unsigned hart = 0; hart < harts; ++hart) {
    cluster.child("core" + std::to_string(hart)).cell("cpu", cpu_phandle(hart));
  }
}

void describe_chosen(FdtNode& root, const std::string& bootargs, PhysAddr initrd_at, u64 initrd_bytes) {
  FdtNode chosen = root.child("chosen");
  if (!bootargs.empty()) chosen.text("bootargs", bootargs);
  chosen.text("stdout-path", "/soc/serial@10000000");
  chosen.bytes("rng-seed", std::array<u8, kRngSeedBytes>{});
  if (initrd_bytes == 0) return;
  const auto address = [&](const char* name, u64 value) {
    chosen.cells(name, {static_cast<u32>(value >> 32), static_cast<u32>(value)});
  };
  address("linux,initrd-start", initrd_at.value);
  address("linux,initrd-end", initrd_at.value + initrd_bytes);
}

}  // namespace

std::vector<u8> make_device_tree(const BoardConfig& config, const std::string& bootargs, PhysAddr initrd_at,
                                 u64 initrd_bytes) {
  FdtBuilder builder;
  {
    FdtNode root = builder.root();
    root.cell("#address-cells", 2);
    root.cell("#size-cells", 2);
    root.text("compatible", "riscv-virtio");
    root.text("model", "riscv-virtio,retrov");
    describe_chosen(root, bootargs, initrd_at, initrd_bytes);
    TestFinisher::describe_uses(root);
    Flash::describe_units(root);
    {
      FdtNode memory = root.child("memory@80000000");
      memory.text("device_type", "memory");
      memory.reg(config.machine.ram_base, config.machine.ram_bytes);
    }
    describe_cpus(root, config.machine.harts, config.machine.extensions);
    FdtNode soc = root.child("soc");
    soc.cell("#address-cells", 2);
    soc.cell("#size-cells", 2);
    soc.text("compatible", "simple-bus");
    soc.flag("ranges");
    describe_devices(config, soc);
  }
  return builder.finish();
}

}  // namespace retrov

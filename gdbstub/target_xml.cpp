#include "gdbstub/target_xml.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "gdbstub/hex.hpp"

namespace retrov {
namespace {

// fflags, frm and fcsr are CSRs 1 to 3; gdb expects them in its fpu feature, and 32 bits wide.
constexpr RegisterId kFflags = csr_register(1);
constexpr RegisterId kFcsr = csr_register(3);

bool is_float_control(RegisterId id) { return id >= kFflags && id <= kFcsr; }

/// Today's field names (privileged manual, "Machine-Level CSRs" and "Supervisor-Level CSRs"). A field of one bit is
/// shown by its name when set, a wider one with its value.
constexpr std::string_view kFlagTypes = R"(<flags id="mstatus_type" size="8">
<field name="SIE" start="1" end="1"/><field name="MIE" start="3" end="3"/>
<field name="SPIE" start="5" end="5"/><field name="UBE" start="6" end="6"/>
<field name="MPIE" start="7" end="7"/><field name="SPP" start="8" end="8"/>
<field name="VS" start="9" end="10"/><field name="MPP" start="11" end="12"/>
<field name="FS" start="13" end="14"/><field name="XS" start="15" end="16"/>
<field name="MPRV" start="17" end="17"/><field name="SUM" start="18" end="18"/>
<field name="MXR" start="19" end="19"/><field name="TVM" start="20" end="20"/>
<field name="TW" start="21" end="21"/><field name="TSR" start="22" end="22"/>
<field name="UXL" start="32" end="33"/><field name="SXL" start="34" end="35"/>
<field name="SBE" start="36" end="36"/><field name="MBE" start="37" end="37"/>
<field name="SD" start="63" end="63"/>
</flags>
<flags id="sstatus_type" size="8">
<field name="SIE" start="1" end="1"/><field name="SPIE" start="5" end="5"/>
<field name="UBE" start="6" end="6"/><field name="SPP" start="8" end="8"/>
<field name="VS" start="9" end="10"/><field name="FS" start="13" end="14"/>
<field name="XS" start="15" end="16"/><field name="SUM" start="18" end="18"/>
<field name="MXR" start="19" end="19"/><field name="UXL" start="32" end="33"/>
<field name="SD" start="63" end="63"/>
</flags>
<flags id="cause_type" size="8">
<field name="CODE" start="0" end="62"/><field name="INTERRUPT" start="63" end="63"/>
</flags>
<flags id="satp_type" size="8">
<field name="PPN" start="0" end="43"/><field name="ASID" start="44" end="59"/><field name="MODE" start="60" end="63"/>
</flags>
<flags id="interrupts_type" size="8">
<field name="SSI" start="1" end="1"/><field name="MSI" start="3" end="3"/>
<field name="STI" start="5" end="5"/><field name="MTI" start="7" end="7"/>
<field name="SEI" start="9" end="9"/><field name="MEI" start="11" end="11"/>
</flags>
)";

constexpr std::string_view kFloatTypes = R"(<flags id="fcsr_type" size="4">
<field name="NX" start="0" end="0"/><field name="UF" start="1" end="1"/><field name="OF" start="2" end="2"/>
<field name="DZ" start="3" end="3"/><field name="NV" start="4" end="4"/><field name="FRM" start="5" end="7"/>
</flags>
)";

/// Registers whose type is not the plain one of their group.
struct TypeOfRegister {
  std::string_view name;
  std::string_view type;
};
constexpr std::array kTypes = {
    TypeOfRegister{"pc", "code_ptr"},          TypeOfRegister{"ra", "code_ptr"},
    TypeOfRegister{"sp", "data_ptr"},          TypeOfRegister{"gp", "data_ptr"},
    TypeOfRegister{"tp", "data_ptr"},          TypeOfRegister{"s0", "data_ptr"},
    TypeOfRegister{"fp", "data_ptr"},          TypeOfRegister{"fcsr", "fcsr_type"},
    TypeOfRegister{"mstatus", "mstatus_type"}, TypeOfRegister{"sstatus", "sstatus_type"},
    TypeOfRegister{"mcause", "cause_type"},    TypeOfRegister{"scause", "cause_type"},
    TypeOfRegister{"satp", "satp_type"},       TypeOfRegister{"mip", "interrupts_type"},
    TypeOfRegister{"mie", "interrupts_type"},  TypeOfRegister{"sip", "interrupts_type"},
    TypeOfRegister{"sie", "interrupts_type"},
};

std::string_view type_of(const RegisterInfo& info) {
  const auto row = std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& type) { return type.name == info.name; });
  if (row != kTypes.end()) return row->type;
  if (info.group == RegisterGroup::kFloat) return info.size_bytes == 8 ? "ieee_double" : "ieee_single";
  return "int";
}

unsigned described_bytes(const RegisterInfo& info) { return is_float_control(info.id) ? 4 : info.size_bytes; }

/// The feature of gdb's manual ("RISC-V Features") that a register belongs to.
RegisterGroup feature_of(const RegisterInfo& info) {
  return is_float_control(info.id) ? RegisterGroup::kFloat : info.group;
}

std::string_view group_word(const RegisterInfo& info) {
  switch (feature_of(info)) {
    case RegisterGroup::kGeneral:
      return "general";
    case RegisterGroup::kFloat:
      return "float";
    case RegisterGroup::kCsr:
    case RegisterGroup::kVirtual:
      return "system";
  }
  return "general";
}

std::string feature_xml(std::string_view name, std::string_view types, RegisterGroup group,
                        std::span<const RegisterInfo> registers) {
  std::string rows;
  for (const RegisterInfo& info : registers) {
    if (feature_of(info) != group) continue;
    rows += "<reg name=\"" + info.name + "\" bitsize=\"" + std::to_string(described_bytes(info) * 8) +
            "\" regnum=\"" + std::to_string(static_cast<unsigned>(info.id)) + "\" type=\"" +
            std::string(type_of(info)) + "\" group=\"" + std::string(group_word(info)) + "\"/>\n";
  }
  if (rows.empty()) return rows;
  return "<feature name=\"" + std::string(name) + "\">\n" + std::string(types) + rows + "</feature>\n";
}

std::string escape_xml(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '&') {
      result += "&amp;";
    } else if (c == '<') {
      result += "&lt;";
    } else if (c == '"') {
      result += "&quot;";
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace

std::string target_xml(std::span<const RegisterInfo> registers) {
  return "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target version=\"1.0\">\n"
         "<architecture>riscv:rv64</architecture>\n<osabi>none</osabi>\n" +
         feature_xml("org.gnu.gdb.riscv.cpu", "", RegisterGroup::kGeneral, registers) +
         feature_xml("org.gnu.gdb.riscv.fpu", kFloatTypes, RegisterGroup::kFloat, registers) +
         feature_xml("org.gnu.gdb.riscv.csr", kFlagTypes, RegisterGroup::kCsr, registers) +
         feature_xml("org.gnu.gdb.riscv.virtual", "", RegisterGroup::kVirtual, registers) + "</target>\n";
}

std::string threads_xml(std::span<const ThreadLine> threads) {
  std::string result = "<?xml version=\"1.0\"?>\n<threads>\n";
  for (const ThreadLine& thread : threads) {
    const std::string hart = std::to_string(thread.hart);
    result += "<thread id=\"" + thread.id + "\" core=\"" + hart + "\" name=\"hart " + hart + "\">" +
              escape_xml(thread.text) + "</thread>\n";
  }
  return result + "</threads>\n";
}

unsigned register_bytes(std::span<const RegisterInfo> registers, RegisterId id) {
  const auto row = std::find_if(registers.begin(), registers.end(), [id](const auto& info) { return info.id == id; });
  return row == registers.end() ? 8 : described_bytes(*row);
}

std::string register_text(const MachineView& machine, unsigned hart, RegisterId id) {
  const unsigned size_bytes = register_bytes(machine.registers(), id);
  const std::optional<u64> value = machine.read_register(hart, id);
  return value ? hex_little_endian(*value, size_bytes) : std::string(std::size_t{2} * size_bytes, 'x');
}

std::vector<RegisterId> general_registers(std::span<const RegisterInfo> registers) {
  std::vector<RegisterId> result;
  for (const RegisterInfo& info : registers) {
    if (info.id <= kFcsr) result.push_back(info.id);
  }
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace retrov

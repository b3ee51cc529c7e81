# Writes OUT, a C++ file with the bytes of FILES, for dataplane/dashboard/asset.h.
set(arrays "")
set(rows "")
set(number 0)
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND arrays "constexpr unsigned char kFile${number}[] = {${bytes}0};\n")
  string(APPEND rows "    {\"${name}\", {reinterpret_cast<const char*>(kFile${number}), sizeof kFile${number} - 1}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUT} "#include \"dataplane/dashboard/asset.h\"\n\nnamespace weir::dashboard {\nnamespace {\n\n${arrays}\n}  // namespace\n
const std::vector<Asset>& assets() {\n  static const std::vector<Asset> all = {\n${rows}  };\n  return all;\n}\n\n}  // namespace weir::dashboard\n")

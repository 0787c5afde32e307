// SPDX-License-Identifier: Apache-2.0

#include "tools/trolley/json_error.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tools/trolley/arguments.h"
#include "trolley/poller/printable.h"

namespace trolley::tools {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

constexpr size_t kShown = 64;

std::string TypeOf(const FieldDescriptor& field) {
  if (field.message_type() != nullptr) return field.message_type()->full_name();
  return field.type_name();
}

std::string FieldsOf(const Descriptor& type) {
  std::string fields;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    absl::StrAppend(&fields, i > 0 ? ", " : "", field.name(), " (",
                    field.is_repeated() ? "repeated " : "", TypeOf(field), ")");
  }
  return absl::StrCat(
      type.full_name(), " has ",
      fields.empty() ? "no fields" : absl::StrCat("the fields ", fields));
}

// The field at a path such as "a.b[0]"; null if it is not found.
const FieldDescriptor* FieldAt(const Descriptor& type, absl::string_view path) {
  const Descriptor* in = &type;
  const FieldDescriptor* field = nullptr;
  for (absl::string_view step : absl::StrSplit(path, '.')) {
    if (in == nullptr) return nullptr;
    step = step.substr(0, step.find('['));
    field = in->FindFieldByName(std::string(step));
    if (field == nullptr)
      field = in->FindFieldByCamelcaseName(std::string(step));
    if (field == nullptr) return nullptr;
    in = field->message_type();
  }
  return field;
}

// The JSON value that a field takes, in words.
std::string Takes(const FieldDescriptor& field) {
  switch (field.type()) {
    case FieldDescriptor::TYPE_BYTES:
      return "bytes in Base64, such as \"aGVsbG8=\"";
    case FieldDescriptor::TYPE_ENUM: {
      std::vector<std::string> names;
      for (int i = 0; i < field.enum_type()->value_count(); ++i) {
        names.push_back(field.enum_type()->value(i)->name());
      }
      return absl::StrCat("one of ", absl::StrJoin(names, ", "));
    }
    case FieldDescriptor::TYPE_MESSAGE:
      return absl::StrCat("a ", TypeOf(field));
    default:
      return absl::StrCat("a value of type ", TypeOf(field));
  }
}

// Explains an error of the form
//   (path): invalid value "x" for type TYPE_INT64
// Empty if `said` has another form.
std::string BadValue(const Descriptor& type, absl::string_view said) {
  const size_t end = said.find("): invalid value ");
  if (!absl::ConsumePrefix(&said, "(") || end == said.npos) return "";
  const absl::string_view path = said.substr(0, end - 1);
  absl::string_view value = said.substr(end - 1);
  absl::ConsumePrefix(&value, "): invalid value ");
  value = value.substr(0, value.rfind(" for type "));
  const FieldDescriptor* field = FieldAt(type, path);
  return absl::StrCat("the field ", Printable(path, kShown), " takes ",
                      field != nullptr ? Takes(*field) : "something else",
                      ", not ", Printable(value, kShown));
}

// Explains an error of the form
//   path: Cannot find field.
// Empty if `said` has another form.
std::string NoSuchField(const Descriptor& type, absl::string_view said) {
  if (!absl::ConsumeSuffix(&said, ": Cannot find field.")) return "";
  std::vector<std::string> known;
  for (int i = 0; i < type.field_count(); ++i) {
    known.push_back(type.field(i)->name());
  }
  const std::string meant = Closest(said, known);
  return absl::StrCat(
      type.full_name(), " has no field \"", Printable(said, kShown), "\"",
      meant.empty() ? "" : absl::StrCat("; did you mean ", meant, "?"), "\n",
      FieldsOf(type));
}

// Explains an error of three lines: a text, the JSON near the place, and a
// caret below the place. Empty if `said` has another form.
std::string NoJson(absl::string_view json, absl::string_view said) {
  const std::vector<std::string> lines = absl::StrSplit(said, '\n');
  if (lines.size() < 3) return "";
  if (absl::StripAsciiWhitespace(json).empty()) {
    return "the JSON text is empty; {} is a message without content";
  }
  // The column of the caret is the place of the error.
  const size_t caret = std::min(lines[2].find('^'), lines[1].size());
  const absl::string_view at = absl::string_view(lines[1]).substr(caret);
  absl::string_view why = lines[0];
  if (absl::ConsumePrefix(&why, "Unexpected end of string. ") || at.empty()) {
    constexpr size_t kTail = 20;
    return absl::StrCat(
        "the JSON text ends too early, after ",
        Printable(json.substr(json.size() - std::min(json.size(), kTail))),
        " -- ", why);
  }
  return absl::StrCat("the text is not JSON, at ", Printable(at, 20), " -- ",
                      why);
}

}  // namespace

absl::Status JsonError(const Descriptor& type, absl::string_view json,
                       const std::string& said) {
  std::string text = NoJson(json, said);
  if (text.empty()) text = NoSuchField(type, said);
  if (text.empty()) text = BadValue(type, said);
  if (text.empty() && absl::StrContains(said, "Root element must be")) {
    text =
        absl::StrCat("the JSON of a message is an object: {\"FIELD\": VALUE}",
                     "\n", FieldsOf(type));
  }
  if (text.empty()) {
    text = absl::StrCat("the JSON does not fit ", type.full_name(), ": ",
                        Printable(said, 300), "\n", FieldsOf(type));
  }
  return absl::InvalidArgumentError(text);
}

}  // namespace trolley::tools

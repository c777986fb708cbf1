#include "cli/field_input.hpp"

#include "cli/field_forms.hpp"
#include "cli/invocation.hpp"
#include "cli/misuse.hpp"
#include "cli/prompt.hpp"
#include "cli/terminal.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <unistd.h>

namespace credlease::cli {
namespace {

using FieldValue = Client::FieldValue;

struct Option {
    std::string name;
    std::string value;
    enum class From { text, file, standard_input, terminal } from;
};

Result<Option> read_option(const std::string& text) {
    const auto equals = text.find('=');
    // The text itself is not repeated: it may be a secret that was mistyped.
    if (equals == 0 || equals == std::string::npos) {
        return usage("A --field is NAME=VALUE, NAME=@FILE or NAME=- (standard input).");
    }
    Option option{.name = text.substr(0, equals), .value = text.substr(equals + 1), .from = Option::From::text};
    if (option.value == "-") {
        option.from = isatty(STDIN_FILENO) == 1 ? Option::From::terminal : Option::From::standard_input;
    } else if (option.value.starts_with('@')) {
        option.from = Option::From::file;
        option.value.erase(0, 1);
    }
    return option;
}

std::string names_of(const ServiceAuth& auth) {
    std::string names;
    for (const ServiceField& field : auth.fields) names += (names.empty() ? "" : ", ") + field.name;
    return names;
}

Result<SecretText> read_file(const std::string& path) {
    const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0) return usage("The file cannot be read: " + path + " (" + std::strerror(errno) + ").");
    auto text = SecretText::read_from(descriptor);
    close(descriptor);
    return text;
}

bool is_json_type(const ServiceField& field) {
    return field.type == "integer" || field.type == "boolean" || field.type == "list" || field.type == "map";
}

/// "a, b" → ["a","b"]; JSON stays as it is.
std::string list_of(const std::string& text) {
    if (text.starts_with('[')) return text;
    json::array items;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t comma = std::min(text.find(',', at), text.size());
        const std::size_t begin = std::min(text.find_first_not_of(' ', at), comma);
        if (comma > begin) items.emplace_back(text.substr(begin, comma - begin));
        at = comma + 1;
    }
    return json::serialize(items);
}

FieldValue public_value(const ServiceField& field, const std::string& text) {
    return {.name = field.name, .value = field.type == "list" ? list_of(text) : text, .is_json = is_json_type(field)};
}

/// Empty where it is well formed. The value itself is not repeated: it may be a secret.
std::string what_is_wrong(const ServiceField& field, const FieldValue& value) {
    const auto fits = [&](std::string_view text) { return has_form(field, text); };
    const auto* secret = std::get_if<SecretText>(&value.value);
    const bool is_fit = secret == nullptr ? fits(std::get<std::string>(value.value)) : secret->expose(fits);
    return is_fit ? "" : field.name + " is " + form_of(field) + ".";
}

std::string question_for(const ServiceField& field) {
    const std::string form = form_of(field);
    return printable((field.label.empty() ? field.name : field.label) + (form.empty() ? "" : " (" + form + ")"));
}

/// An empty answer is no value.
Result<std::optional<FieldValue>> ask_once(const ServiceField& field, const std::string& question) {
    using Maybe = std::optional<FieldValue>;
    if (field.secret) {
        auto text = ask_secret(question);
        if (!text) return text.error();
        if (text->empty()) return Maybe();
        return Maybe(FieldValue{.name = field.name, .value = std::move(*text), .is_json = is_json_type(field)});
    }
    const auto text = ask(question);
    if (!text) return text.error();
    return text->empty() ? Maybe() : Maybe(public_value(field, *text));
}

/// Asks again for what is missing or malformed: what was typed before stays.
Result<FieldValue> ask_for(const ServiceField& field) {
    constexpr int most_times = 5; // a terminal that was hung up answers nothing for ever
    if (!field.help.empty()) write_all(STDERR_FILENO, printable(field.help) + "\n");
    for (int times = 0; times < most_times; ++times) {
        auto value = ask_once(field, question_for(field));
        if (!value) return value.error();
        const std::string wrong = *value ? what_is_wrong(field, **value) : field.name + " is required.";
        if (wrong.empty()) return std::move(**value);
        write_all(STDERR_FILENO, printable(wrong) + "\n");
    }
    return usage("No value was given for " + field.name + ". Nothing was sent.");
}

/// NAME=- on a terminal: read to its end, it would show a secret while that is typed.
Result<FieldValue> ask_instead(const ServiceField& field) {
    if (field.type != "text") return ask_for(field);
    return usage(field.name + " may have several lines, and one alone is asked for. Nothing was sent.",
                 "Give it from a file: --field " + field.name + "=@FILE.");
}

Result<FieldValue> read_value(const ServiceField& field, const Option& option) {
    if (option.from == Option::From::text) {
        if (field.secret) return shows_in_ps(field.name);
        return public_value(field, option.value);
    }
    if (option.from == Option::From::terminal) return ask_instead(field);
    auto text = option.from == Option::From::file ? read_file(option.value) : SecretText::read_from(STDIN_FILENO);
    if (!text) return text.error();
    if (field.type != "text") text->cut_newline();
    return FieldValue{.name = field.name, .value = std::move(*text), .is_json = is_json_type(field)};
}

bool is_given(const std::vector<FieldValue>& given, const std::string& name) {
    return std::ranges::find(given, name, &FieldValue::name) != given.end();
}

/// Nobody can be asked.
Error are_missing(const std::vector<const ServiceField*>& fields) {
    std::string names;
    for (const auto* field : fields) names += (names.empty() ? "" : ", ") + field->name;
    if (fields.size() > 1) {
        return usage("These fields are missing: " + names + ".",
                     "Give each with --field NAME=@FILE, NAME=- or, unless it is secret, NAME=VALUE.");
    }
    const std::string option = "--field " + names;
    return usage("A field is missing: " + names + ".",
                 fields.front()->secret ? "Give it with " + option + "=- (standard input) or " + option + "=@FILE."
                                        : "Give it with " + option + "=VALUE.");
}

} // namespace

Result<std::vector<FieldValue>> read_fields(const ServiceAuth& auth, const std::vector<std::string>& options) {
    std::vector<FieldValue> values;
    bool input_is_taken = false;
    for (const std::string& text : options) {
        const auto option = read_option(text);
        if (!option) return option.error();
        const ServiceField* field = auth.find(option->name);
        if (field == nullptr)
            return usage("There is no field of that name in this service.", "It has: " + names_of(auth) + ".");
        if (is_given(values, field->name)) return usage("The field \"" + field->name + "\" is given twice.");
        if (option->from == Option::From::standard_input && std::exchange(input_is_taken, true)) {
            return usage("Standard input is one value: only one --field may take it.", "Put the other into a file.");
        }
        auto value = read_value(*field, *option);
        if (!value) return value.error();
        if (const auto wrong = what_is_wrong(*field, *value); !wrong.empty()) return usage(wrong, "Nothing was sent.");
        values.push_back(std::move(*value));
    }
    return values;
}

Result<void> ask_for_missing(const ServiceAuth& auth, std::vector<FieldValue>& given) {
    std::vector<const ServiceField*> missing;
    for (const ServiceField& field : auth.fields) {
        if (field.required && !is_given(given, field.name)) missing.push_back(&field);
    }
    if (missing.empty()) return {};
    if (!can_ask()) return are_missing(missing);
    for (const auto* field : missing) {
        auto value = ask_for(*field);
        if (!value) return value.error();
        given.push_back(std::move(*value));
    }
    return {};
}

Result<void> ask_for_client_secret(const ServiceAuth& auth, std::vector<FieldValue>& given) {
    const ServiceField* secret = auth.find(auth.client_secret);
    const bool has_own_client = is_given(given, auth.client_id);
    if (secret == nullptr || !has_own_client || is_given(given, secret->name) || !can_ask()) return {};
    auto value = ask_once(*secret, question_for(*secret) + " (empty: a public client)");
    if (!value) return value.error();
    if (*value) given.push_back(std::move(**value));
    return {};
}

} // namespace credlease::cli

#include "catalog/read_template.hpp"

#include <algorithm>

namespace credlease::catalog {
namespace {

using result::StaticText;
using vocabulary::FieldType;

constexpr std::size_t template_most = 1024; // characters

std::optional<Encoder> find_encoder(std::string_view name) {
    if (name == "base64") return Encoder::base64;
    if (name == "urlencode") return Encoder::urlencode;
    if (name == "host") return Encoder::host;
    return std::nullopt;
}

class Reader {
  public:
    explicit Reader(std::span<const Field> fields) : fields_(fields) {}

    std::expected<Template, StaticText> read(std::string_view text) {
        while (!text.empty()) {
            if (text.starts_with("{{") || text.starts_with("}}")) {
                add_literal(text.substr(0, 1));
                text.remove_prefix(2);
            } else if (text.front() == '}') {
                return std::unexpected(StaticText{"A template's closing brace has no opening one; a brace itself is "
                                                  "doubled."});
            } else if (text.front() == '{') {
                const std::size_t close = text.find('}');
                if (close == text.npos) return std::unexpected(StaticText{"A template's brace is never closed."});
                if (const auto problem = add_placeholder(text.substr(1, close - 1))) return std::unexpected(*problem);
                text.remove_prefix(close + 1);
            } else {
                const std::size_t end = std::min(text.find_first_of("{}"), text.size());
                add_literal(text.substr(0, end));
                text.remove_prefix(end);
            }
        }
        return std::move(made_);
    }

  private:
    void add_literal(std::string_view text) {
        if (made_.parts.empty() || !made_.parts.back().fields.empty()) made_.parts.emplace_back();
        made_.parts.back().literal += text;
    }

    /// "user:password|base64"
    std::optional<StaticText> add_placeholder(std::string_view inside) {
        Template::Part part;
        const std::size_t bar = inside.find('|');
        if (bar != inside.npos) {
            const auto encoder = find_encoder(inside.substr(bar + 1));
            if (!encoder) return StaticText{"A template's encoder is base64, urlencode or host."};
            part.encoder = *encoder;
        }
        std::string_view names = inside.substr(0, bar);
        while (true) {
            const std::size_t colon = names.find(':');
            if (const auto problem = add_field(part, names.substr(0, colon))) return problem;
            if (colon == names.npos) break;
            names.remove_prefix(colon + 1);
        }
        made_.parts.push_back(std::move(part));
        return std::nullopt;
    }

    std::optional<StaticText> add_field(Template::Part& part, std::string_view name) {
        const auto found = std::ranges::find(fields_, name, &Field::name);
        if (found == fields_.end()) return StaticText{"A template names a field that its auth type does not have."};
        if (found->type == FieldType::list || found->type == FieldType::map) {
            return StaticText{"A list or map cannot be placed by a template."};
        }
        if (part.encoder == Encoder::host && found->format != Format::url) {
            return StaticText{"The encoder host takes a field of format url."};
        }
        const auto index = static_cast<std::size_t>(found - fields_.begin());
        part.fields.push_back(index);
        made_.needs |= std::uint32_t{1} << index;
        return std::nullopt;
    }

    std::span<const Field> fields_;
    Template made_;
};

} // namespace

std::expected<Template, StaticText> read_template(std::string_view text, std::span<const Field> fields) {
    return Reader(fields).read(text);
}

Template read_template(const boost::json::value& value, const std::string& path, std::span<const Field> fields,
                       EntryProblem& problem) {
    const auto* text = value.if_string();
    if (!text || text->empty() || characters_of(*text) > template_most || has_control_characters(*text)) {
        problem.note(path, "It must be a text of 1 to 1024 characters on one line.");
        return {};
    }
    auto made = read_template(*text, fields);
    if (made) return std::move(*made);
    problem.note(path, made.error());
    return {};
}

} // namespace credlease::catalog

#include "catalog/read_http.hpp"

#include "catalog/check_value.hpp"
#include "catalog/read_template.hpp"
#include "catalog/url.hpp"
#include "wire/limits.hpp"

#include <algorithm>

namespace credlease::catalog {
namespace {

namespace json = boost::json;
using result::StaticText;
using vocabulary::FieldType;

constexpr StaticText never_leased{"It names a field that no lease ever holds."};

class HttpReader {
  public:
    HttpReader(std::vector<Field>& fields, EntryProblem& problem) : fields_(fields), problem_(problem) {}

    HttpRules read(const json::value& value, const std::string& path) {
        const EntryNode node(
            value, path, problem_,
            {.required = {}, .optional = {"headers", "query", "headers_from", "base_url", "allowed_hosts"}});
        HttpRules rules;
        rules.headers = entries(node, "headers");
        rules.query = entries(node, "query");
        for (const HttpRules::Entry& header : rules.headers) mark_header(header);
        rules.headers_from = headers_from(node);
        if (const json::value* url = node.find("base_url")) rules.base_url = base_url(*url, node.path_of("base_url"));
        const json::array& hosts = node.list("allowed_hosts", 0, wire::limits::fields);
        for (std::size_t i = 0; i < hosts.size(); ++i) {
            rules.allowed_hosts.push_back(placed(hosts[i], node.path_of("allowed_hosts", i)));
        }
        return rules;
    }

  private:
    Template placed(const json::value& value, const std::string& path) {
        Template made = read_template(value, path, fields_, problem_);
        for (std::size_t i = 0; i < fields_.size(); ++i) {
            if ((made.needs >> i & 1) != 0 && !fields_[i].leased) problem_.note(path, never_leased);
        }
        return made;
    }

    Template placed_member(const EntryNode& node, std::string_view member) {
        const json::value* value = node.find(member);
        return value ? placed(*value, node.path_of(member)) : Template{};
    }

    std::vector<HttpRules::Entry> entries(const EntryNode& http, std::string_view member) {
        std::vector<HttpRules::Entry> made;
        const json::array& items = http.list(member, 0, wire::limits::fields);
        for (std::size_t i = 0; i < items.size(); ++i) {
            const EntryNode node(items[i], http.path_of(member, i), problem_,
                                 {.required = {"name", "value"}, .optional = {"when"}});
            HttpRules::Entry entry;
            entry.name = placed_member(node, "name");
            entry.value = placed_member(node, "value");
            if (member == "headers") check_header_name(entry.name, node);
            if (node.find("when")) read_when(node, entry);
            made.push_back(std::move(entry));
        }
        return made;
    }

    void check_header_name(const Template& name, const EntryNode& node) {
        for (const Template::Part& part : name.parts) {
            const bool is_good = part.fields.empty() ? is_header_name(part.literal)
                                                     : part.fields.size() == 1 && part.encoder == Encoder::none;
            if (!is_good) node.refuse("name", "A header's name is a token (RFC 9110) or a field that holds one.");
        }
    }

    void read_when(const EntryNode& node, HttpRules::Entry& entry) {
        const json::object* condition = node.find("when")->if_object();
        if (!condition || condition->size() != 1 || !condition->begin()->value().is_string()) {
            node.refuse("when",
                        "It must be an object with one member: a public field and the value that it must have.");
            return;
        }
        entry.when_field = find_field(std::string_view(condition->begin()->key()));
        entry.when_value = condition->begin()->value().get_string();
        const Field* field = entry.when_field ? &fields_[*entry.when_field] : nullptr;
        if (!field || field->secret || field->type != FieldType::string) {
            node.refuse("when", "It must name a public field of type string.");
        } else if (!field->choices.empty() && problem_with_text(*field, entry.when_value)) {
            node.refuse("when", "The field never has this value.");
        }
    }

    std::optional<std::size_t> headers_from(const EntryNode& node) {
        if (!node.find("headers_from")) return std::nullopt;
        const auto found = find_field(node.identifier("headers_from"));
        if (found && !fields_[*found].leased) node.refuse("headers_from", never_leased);
        if (found && fields_[*found].type == FieldType::map) return found;
        node.refuse("headers_from", "It must name a field of type map.");
        return std::nullopt;
    }

    Template base_url(const json::value& value, const std::string& path) {
        Template made = placed(value, path);
        if (made.needs == 0 && made.parts.size() == 1 && !find_host(made.parts.front().literal)) {
            problem_.note(path, "It must be an http or https URL without a user, query or fragment.");
        }
        return made;
    }

    void mark_header(const HttpRules::Entry& header) {
        for (const Template::Part& part : header.name.parts) {
            for (const std::size_t field : part.fields) fields_[field].is_header_name = true;
        }
        for (const Template::Part& part : header.value.parts) {
            for (std::size_t i = 0; i < part.fields.size(); ++i) {
                Field& field = fields_[part.fields[i]];
                field.in_header |= part.encoder == Encoder::none;
                field.before_colon |= i + 1 < part.fields.size();
            }
        }
    }

    std::optional<std::size_t> find_field(std::string_view name) const {
        const auto found = std::ranges::find(fields_, name, &Field::name);
        if (found == fields_.end()) return std::nullopt;
        return static_cast<std::size_t>(found - fields_.begin());
    }

    std::vector<Field>& fields_;
    EntryProblem& problem_;
};

} // namespace

HttpRules read_http(const json::value& value, const std::string& path, std::vector<Field>& fields,
                    EntryProblem& problem) {
    return HttpReader(fields, problem).read(value, path);
}

} // namespace credlease::catalog

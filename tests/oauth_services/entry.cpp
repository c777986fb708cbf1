#include "entry.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <regex>
#include <stdexcept>

namespace credlease::tests {
namespace {

namespace json = boost::json;

/// "{url|host}": the host of a URL.
std::string host_of(const std::string& url) {
    const auto begin = url.find("://");
    if (begin == url.npos) throw std::runtime_error("no URL: " + url);
    return url.substr(begin + 3, url.find_first_of(":/", begin + 3) - begin - 3);
}

std::vector<std::string> choices_of(const Entry& entry, const std::string& field) {
    std::vector<std::string> made;
    for (const auto& choice : entry.field(field).at("choices").as_array()) made.emplace_back(choice.as_string());
    return made;
}

/// A flow with all choices at their defaults.
Case make_case(const Entry& entry, const std::string& flow) {
    Case made{.entry = entry, .flow = flow};
    const auto chooser = entry.chooser_of("flow");
    if (chooser.empty()) return made;
    const auto choices = choices_of(entry, chooser);
    if (std::ranges::find(choices, flow) != choices.end()) made.chosen[chooser] = flow;
    return made;
}

/// The case again with each other choice.
void add_choices(std::vector<Case>& cases, const Case& one, std::string_view member) {
    const auto chooser = one.entry.chooser_of(member);
    if (chooser.empty() || one.is_automatic()) return;
    for (const auto& choice : choices_of(one.entry, chooser)) {
        if (choice == text_in(one.entry.field(chooser), "default")) continue;
        auto made = one;
        made.chosen[chooser] = choice;
        cases.push_back(std::move(made));
    }
}

std::vector<Case> cases_of(const Entry& entry, std::size_t flows) {
    std::vector<Case> made;
    const auto offered = entry.flows();
    for (std::size_t i = 0; i < std::min(flows, offered.size()); ++i) {
        made.push_back(make_case(entry, offered[i]));
        if (i > 0) continue;
        const auto first = made.front();
        add_choices(made, first, "client_auth");
        add_choices(made, first, "refresh_class");
    }
    return made;
}

std::vector<Case> cases_of_all(std::size_t flows) {
    std::vector<Case> made;
    for (const auto& entry : all_entries()) std::ranges::move(cases_of(entry, flows), std::back_inserter(made));
    return made;
}

/// Members of objects, and of the objects in lists, with the names of what they stand in.
void add_members(std::set<std::string>& found, const json::value& value, const std::string& where) {
    if (const auto* list = value.if_array()) {
        for (const auto& each : *list) add_members(found, each, where);
    }
    const auto* object = value.if_object();
    if (object == nullptr) return;
    for (const auto& [name, inner] : *object) {
        const auto place = where.empty() ? std::string(name) : where + "." + std::string(name);
        found.insert(place);
        add_members(found, inner, place);
    }
}

} // namespace

std::string text_in(const json::object& from, std::string_view member) {
    const auto* value = from.if_contains(member);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::vector<std::string> Entry::flows() const {
    const auto* listed = oauth.if_contains("flows");
    if (listed == nullptr) return {text("flow")};
    std::vector<std::string> made;
    for (const auto& flow : listed->as_array()) made.emplace_back(flow.as_string());
    return made;
}

const json::object& Entry::field(std::string_view name) const {
    for (const auto& each : auth_type.at("fields").as_array()) {
        if (text_in(each.as_object(), "name") == name) return each.as_object();
    }
    throw std::runtime_error(service + " has no field " + std::string(name));
}

std::string Entry::chooser_of(std::string_view member) const {
    const auto* value = oauth.if_contains(member);
    return value != nullptr && value->is_object() ? text_in(value->get_object(), "field") : std::string();
}

std::string Entry::text(std::string_view member) const { return text_in(oauth, member); }

std::vector<json::object> Entry::answer_fields() const {
    std::vector<json::object> made;
    const auto* fields = oauth.if_contains("answer_fields");
    if (fields == nullptr) return made;
    for (const auto& each : fields->as_array()) made.push_back(each.as_object());
    return made;
}

std::optional<long> Entry::clock(std::string_view name) const {
    const auto* clocks = oauth.if_contains("clocks");
    const auto text = clocks != nullptr ? text_in(clocks->as_object(), name) : std::string();
    return text.empty() ? std::nullopt : std::optional(seconds_of(text));
}

std::vector<Entry> all_entries() {
    std::set<std::filesystem::path> files;
    for (const auto& file : std::filesystem::directory_iterator(SERVICES_FOLDER)) files.insert(file.path());
    std::vector<Entry> made;
    for (const auto& path : files) {
        std::ifstream file(path);
        const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
        const auto whole = json::parse(text).as_object();
        for (const auto& auth : whole.at("auth").as_array()) {
            const auto* oauth = auth.as_object().if_contains("oauth");
            if (oauth == nullptr) continue;
            made.push_back({.service = text_in(whole, "id"),
                            .auth = text_in(auth.as_object(), "name"),
                            .whole = whole,
                            .auth_type = auth.as_object(),
                            .oauth = oauth->as_object()});
        }
    }
    return made;
}

std::string Case::refresh_class() const {
    const auto chooser = entry.chooser_of("refresh_class");
    if (chooser.empty()) return entry.text("refresh_class");
    const auto found = chosen.find(chooser);
    return found != chosen.end() ? found->second : text_in(entry.field(chooser), "default");
}

std::ostream& operator<<(std::ostream& out, const Case& one) {
    out << one.entry.service << " " << one.entry.auth << ", " << one.flow;
    for (const auto& [field, value] : one.chosen) out << ", " << field << " " << value;
    return out;
}

std::vector<Case> all_cases() { return cases_of_all(5); }
std::vector<Case> cases_of_first_flows() { return cases_of_all(1); }

long seconds_of(std::string_view duration) {
    std::size_t digits = 0;
    const long number = std::stol(std::string(duration), &digits);
    const std::map<std::string_view, long> units{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    return number * units.at(duration.substr(digits));
}

std::optional<std::string> filled(std::string_view pattern, const std::map<std::string, std::string>& values) {
    static const std::regex place(R"(\{(\w+)(?:\|(\w+))?\})");
    const std::string text(pattern);
    std::string made;
    auto at = text.cbegin();
    for (std::sregex_iterator each(text.cbegin(), text.cend(), place), end; each != end; ++each) {
        const auto value = values.find((*each)[1]);
        if (value == values.end()) return std::nullopt;
        const std::string encoder = (*each)[2];
        if (!encoder.empty() && encoder != "host") throw std::runtime_error("no such encoder: " + encoder);
        made.append(at, (*each)[0].first);
        made += encoder.empty() ? value->second : host_of(value->second);
        at = (*each)[0].second;
    }
    made.append(at, text.cend());
    if (made.contains('{')) throw std::runtime_error("no such template: " + text);
    return made;
}

std::set<std::string> members_in_use() {
    std::set<std::string> found;
    for (const auto& entry : all_entries()) {
        add_members(found, entry.oauth, "");
        add_members(found, entry.auth_type.at("http"), "http");
    }
    return found;
}

} // namespace credlease::tests

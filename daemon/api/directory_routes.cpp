#include "api/api.hpp"
#include "api/rows.hpp"
#include "broker/views.hpp"
#include "broker/workspaces.hpp"

#include <algorithm>

namespace credlease::api {
namespace {

using result::invalid;
using result::refuse;
using Change = access::Directory::Change;

result::Result<> read_role(const Request& request, secret::Arena& arena, Change& change) {
    auto asked = read_body<wire::PutMember>(request, arena);
    if (!asked) return refuse(std::move(asked.error()));
    const auto role = settings::find_role(asked->role);
    if (!role) return refuse(invalid("role", "A role is admin, editor or member."));
    change.role = *role;
    return {};
}

/// A workspace has no members of its own yet: its body may be absent or an empty object, and nothing else.
result::Result<> read_nothing(const Request& request, secret::Arena& arena) {
    auto asked = read_body<wire::PutWorkspace>(request, arena);
    if (!asked) return refuse(std::move(asked.error()));
    return {};
}

result::Result<> read_members(const Request& request, secret::Arena& arena, Change& change) {
    switch (change.kind) {
    case Change::Kind::put_workspace:
        return read_nothing(request, arena);
    case Change::Kind::put_member:
        return read_role(request, arena, change);
    case Change::Kind::erase_workspace:
    case Change::Kind::erase_member:
        return {};
    }
    return {};
}

result::Result<Change> read_change(Change::Kind kind, const Request& request, const Parts& parts,
                                   secret::Arena& arena) {
    auto workspace = vocabulary::WorkspaceId::read(parts[0]);
    if (!workspace) return refuse(invalid("workspace", workspace.error().sentence));
    Change change{.kind = kind, .workspace = std::move(*workspace)};
    if (parts.size() > 1) {
        auto user = vocabulary::UserId::read(parts[1]);
        if (!user) return refuse(invalid("user", "This is not a user id. Write user:DIRECTORY/NAME."));
        change.user = std::move(*user);
    }
    if (auto read = read_members(request, arena, change); !read) return refuse(std::move(read.error()));
    return change;
}

void answer_workspaces(const Request& request, const Parts&, broker::Unsealed& house, const broker::Asker& asker,
                       Responder responder) {
    const auto all = broker::list_workspaces(house, asker);
    answer_page(house, asker, request,
                {.list = "workspaces",
                 .count = all.size(),
                 .key = [&](std::size_t i) { return std::string(all[i]->id.text()); },
                 .write = [&](wire::JsonWriter& writer, std::size_t i) { broker::write_workspace(writer, *all[i]); }},
                std::move(responder));
}

/// Of others than operators, themselves alone.
void answer_users(const Request& request, const Parts&, broker::Unsealed& house, const broker::Asker& asker,
                  Responder responder) {
    std::vector<std::string> users;
    for (const auto& user : house.directory.users()) {
        if (asker.caller->every_scope || asker.caller->user == user) users.push_back(user.text());
    }
    std::ranges::sort(users);
    answer_page(house, asker, request,
                {.list = "users",
                 .count = users.size(),
                 .key = [&](std::size_t i) { return users[i]; },
                 .write = [&](wire::JsonWriter& writer, std::size_t i) { writer.value(users[i]); }},
                std::move(responder));
}

} // namespace

void Api::add_directory_routes(std::vector<Route>& rows) {
    const auto changing = [this](Method method, std::string_view pattern, Change::Kind kind) {
        return row(method, pattern, false,
                   [this, kind](const Request& request, const Parts& parts, broker::Unsealed& house,
                                broker::Asker asker, Responder responder) {
                       auto change = read_change(kind, request, parts, house.parts.arena);
                       if (!change) {
                           responder.refuse(change.error());
                           return;
                       }
                       auto task = broker::change_directory(house, asker, std::move(*change));
                       start(house, std::move(asker), std::move(responder), std::move(task));
                   });
    };
    rows.push_back(changing(Method::put, "/v1/workspaces/{id}", Change::Kind::put_workspace));
    rows.push_back(changing(Method::del, "/v1/workspaces/{id}", Change::Kind::erase_workspace));
    rows.push_back(changing(Method::put, "/v1/workspaces/{id}/members/{user}", Change::Kind::put_member));
    rows.push_back(changing(Method::del, "/v1/workspaces/{id}/members/{user}", Change::Kind::erase_member));

    rows.push_back(row(Method::get, "/v1/workspaces", false, answer_workspaces));
    rows.push_back(row(Method::get, "/v1/workspaces/{id}", false,
                       [this](const Request&, const Parts& parts, broker::Unsealed& house, const broker::Asker& asker,
                              Responder responder) {
                           const auto workspace = broker::find_workspace(house, asker, parts[0]);
                           if (!workspace) {
                               refuse(&house, vocabulary::Action::access_refused, asker, std::move(responder),
                                      workspace.error());
                               return;
                           }
                           Reply reply;
                           wire::JsonWriter writer(reply.body);
                           broker::write_workspace(writer, **workspace);
                           responder.answer(std::move(reply));
                       }));
    rows.push_back(row(Method::get, "/v1/users", false, answer_users));
}

} // namespace credlease::api

#include "console/oauth_pages.hpp"

namespace credlease::console {
namespace {

using Kind = broker::BrowserTold::Kind;

constexpr std::string_view begin_anew = "Nothing was connected. Begin again where you began: credlease reauthorize, or "
                                        "your workflow engine.";

std::string name_of(const broker::BrowserTold& told) {
    if (told.credential.empty()) return "The credential";
    return "“" + told.credential + "” (" + told.service + ")";
}

} // namespace

Page page_of(const broker::BrowserTold& told) {
    switch (told.kind) {
    case Kind::unknown:
        break;
    case Kind::other_browser:
        return {.status = 403,
                .title = "Not in this browser",
                .paragraphs = {"This sign-in was not begun in this browser, so nothing was done with it.",
                               "If you began it at a command line that asks for an address, copy the whole address of "
                               "this page and paste it there. If you did not begin it, close this page."}};
    case Kind::given_up:
        return {.status = 403,
                .title = "Opened in another browser",
                .paragraphs = {"This address was opened in another browser before, and counts once. So that nobody "
                               "else can finish what you began, the authorization was given up.",
                               std::string(begin_anew)}};
    case Kind::ended:
        return {.status = 410, .title = "Already over", .paragraphs = {name_of(told) + ": " + told.text}};
    case Kind::refused:
        return {.status = 403, .title = "Not accepted", .paragraphs = {name_of(told) + ": " + told.text}};
    case Kind::connected:
        return {.status = 200,
                .title = "Connected",
                .paragraphs = {name_of(told) + " is connected.", "You may close this page."},
                .closes_itself = true};
    case Kind::failed:
        return {.status = 400,
                .title = "Not connected",
                .paragraphs = {name_of(told) + ": " + told.text, std::string(begin_anew)}};
    }
    return {.status = 404,
            .title = "Not waited for",
            .paragraphs = {"Nothing waits for this address. It may have been used, or have ended: an authorization "
                           "lasts ten minutes."}};
}

} // namespace credlease::console

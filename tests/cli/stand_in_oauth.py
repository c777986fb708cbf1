"""The stand-in's part of OAuth: authorizations, tokens, the organization's clients."""
from stand_in_answers import Refusal, moment

AUTHORIZE_URL = "https://mail.example/authorize?response_type=code&state=St-1&redirect_uri=http%3A%2F%2F127.0.0.1%3A7466"
REDIRECT_URI = "http://127.0.0.1:7466/oauth/callback"


class OAuthStandIn:
    # Authorizations and tokens

    def post_oauth(self, words, query, what, headers):
        if words[-1] == "complete":
            return self.complete(words[1], what["redirect_url"])
        found = self.find(what["credential"])
        if self.begin_refusal:
            raise self.begin_refusal
        for one in self.authorizations.values():
            if one["credential"] == found["id"] and one["state"] == "pending":
                return 200, one, {}
        one = {"id": f"auth_{len(self.authorizations) + 1:026d}", "state": "pending", "credential": found["id"],
               "expires_at": moment(600)}
        if what.get("refresh_token"):
            if self.provider_refuses:
                return 200, {**one, "state": "failed", "error": self.provider_refuses}, {}
            self.connect(found)
            return 200, {**one, "state": "connected"}, {}
        if self.needs_no_person:
            if self.provider_refuses:
                raise Refusal(502, "upstream_failed", "The provider gave no token. It is asked again by itself.")
            self.connect(found)
            return 200, {**one, "state": "connected"}, {}
        self.authorizations[one["id"]] = one
        if self.user_code:
            one.update(user_code=self.user_code, verification_uri="https://mail.example/device")
            return 201, one, {}
        one.update(redirect_uri=REDIRECT_URI, authorize_url=self.authorize_url)
        one.update({k: v for k, v in (("start_url", self.start_url), ("callback_problem", self.callback_problem)) if v})
        return 201, one, {}

    def complete(self, number, address):
        one = self.authorizations[number]
        if not address.startswith(REDIRECT_URI + "?"):
            raise Refusal(400, "invalid_request", "This is not the address of this authorization. Paste the whole address.")
        del one["authorize_url"]
        if self.provider_refuses:
            one.update(state="failed", error=self.provider_refuses)
        else:
            one["state"] = "connected"
            self.connect(self.credentials[one["credential"]])
        return 200, one, {}

    def connect(self, found):
        found.update(status="active", oauth={"token_expires_at": self.token_ends_at} if self.token_ends_at else {})
        found["revision"] += 1

    def refresh(self, found):
        if self.refresh_refusal:
            raise self.refresh_refusal
        self.connect(found)
        return 200, self.shown(found), {}

    # The organization's OAuth clients

    def client(self, service):
        if service not in self.clients:
            raise Refusal(404, "not_found", "The organization has no OAuth client for this service.")
        kept = self.clients[service]
        return {"service": service, "auth": "oauth2", "client_id": kept["client_id"],
                "client_secret": {"set": bool(kept.get("client_secret"))},
                "client_secret_ends_at": kept.get("client_secret_ends_at"), "fields": kept.get("fields", {}),
                "redirect_uri": REDIRECT_URI, "revision": 1, "updated_at": moment(0),
                "updated_by": "operator:root"}

    def put_oauth(self, words, query, what, headers):
        self.clients[words[1]] = what
        return 201, self.client(words[1]), {}

    def patch_oauth(self, words, query, what, headers):
        self.client(words[1])
        self.clients[words[1]].update(what)
        return 200, self.client(words[1]), {}

    def agree(self):
        """A person has typed the code of the newest."""
        one = list(self.authorizations.values())[-1]
        one["state"] = "connected"

    def decline(self):
        """A person has typed the code of the newest, and said no."""
        list(self.authorizations.values())[-1].update(state="failed", error="The provider refused: access_denied")

    def come_back(self, number):
        """The browser does, to the broker's own page."""
        self.complete(number, REDIRECT_URI + "?")

    def get_oauth(self, words, query, _, __):
        if words[0] == "authorizations":
            return 200, self.authorizations[words[1]], {}
        if len(words) == 2:
            return 200, self.client(words[1]), {}
        return self.page([self.client(name) for name in sorted(self.clients)], query)

    def delete_oauth(self, words, query, what, headers):
        self.client(words[1])
        del self.clients[words[1]]
        return 204, None, {}

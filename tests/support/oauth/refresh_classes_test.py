"""What a refresh does to the tokens before it, in each refresh class; and what the log tells of it."""

import hashlib
import unittest

from running_provider import RunningProvider


def hash_of(token):
    return hashlib.sha256(token.encode()).hexdigest()


class RefreshClasses(unittest.TestCase):
    def provider(self, **settings):
        provider = RunningProvider(settings)
        self.addCleanup(provider.stop)
        return provider

    def refused(self, reply, name="invalid_grant", status=400):
        self.assertEqual((reply.status, reply.json()["error"]), (status, name))

    def test_static_keeps_the_refresh_token_and_says_nothing_of_it(self):
        provider = self.provider(refresh_class="static")
        first = provider.granted()
        for _ in range(3):
            again = provider.refresh(first["refresh_token"]).json()
            self.assertNotIn("refresh_token", again)
            self.assertNotEqual(again["access_token"], first["access_token"])
        self.assertTrue(provider.is_live(first["access_token"]))
        self.assertEqual([line["rotated"] for line in provider.log(endpoint="token")], [False] * 3)

    def test_static_may_repeat_the_refresh_token(self):
        provider = self.provider(refresh_class="static", answer={"repeat_refresh_token": True})
        first = provider.granted()
        self.assertEqual(provider.refresh(first["refresh_token"]).json()["refresh_token"], first["refresh_token"])

    def test_rotating_gives_a_new_one_and_the_old_one_stays_valid(self):
        provider = self.provider(refresh_class="rotating")
        first = provider.granted()
        second = provider.refresh(first["refresh_token"]).json()
        self.assertNotEqual(second["refresh_token"], first["refresh_token"])
        for token in (first["refresh_token"], second["refresh_token"]):
            self.assertEqual(provider.refresh(token).status, 200)
        self.assertTrue(provider.is_live(first["access_token"]))

    def test_single_use_spends_the_token_and_its_second_use_kills_the_family(self):
        provider = self.provider(refresh_class="single_use")
        first = provider.granted()
        second = provider.refresh(first["refresh_token"]).json()
        self.assertTrue(provider.is_live(first["access_token"]))
        self.refused(provider.refresh(first["refresh_token"]))
        self.refused(provider.refresh(second["refresh_token"]))
        self.assertFalse(provider.is_live(second["access_token"]))
        self.assertEqual([(line["state"], line["rotated"]) for line in provider.log(endpoint="token")],
                         [("live", True), ("spent", False), ("revoked", False)])

    def test_without_reuse_detection_only_the_spent_token_is_refused(self):
        provider = self.provider(refresh_class="single_use", reuse_kills_family=False)
        first = provider.granted()
        second = provider.refresh(first["refresh_token"]).json()
        self.refused(provider.refresh(first["refresh_token"]))
        self.assertEqual(provider.refresh(second["refresh_token"]).status, 200)

    def test_single_use_grace_takes_the_old_token_until_the_grace_is_over(self):
        provider = self.provider(refresh_class="single_use_grace", grace=600)
        first = provider.granted()
        second = provider.refresh(first["refresh_token"]).json()
        provider.control("/advance", seconds=599)
        self.assertEqual(provider.refresh(first["refresh_token"]).status, 200)
        self.assertEqual(provider.log(state="grace")[0]["token"], hash_of(first["refresh_token"]))
        provider.control("/advance", seconds=2)
        self.refused(provider.refresh(first["refresh_token"]))
        self.refused(provider.refresh(second["refresh_token"]))

    def test_a_grace_may_end_when_the_successor_is_used(self):
        provider = self.provider(refresh_class="single_use_grace", grace_until_used=True)
        first = provider.granted()
        second = provider.refresh(first["refresh_token"]).json()
        provider.refresh(second["refresh_token"])
        self.refused(provider.refresh(first["refresh_token"]))

    def test_kills_access_token_kills_it_at_once(self):
        provider = self.provider(refresh_class="kills_access_token")
        first = provider.granted()
        second = provider.refresh(first["refresh_token"]).json()
        self.assertFalse(provider.is_live(first["access_token"]))
        self.assertTrue(provider.is_live(second["access_token"]))
        self.refused(provider.refresh(first["refresh_token"]))

    def test_an_access_token_may_die_when_the_grace_is_over(self):
        provider = self.provider(refresh_class="single_use_grace", grace=600, access_token_dies=600)
        first = provider.granted()
        provider.refresh(first["refresh_token"])
        self.assertTrue(provider.is_live(first["access_token"]))
        provider.control("/advance", seconds=601)
        self.assertFalse(provider.is_live(first["access_token"]))

    def test_a_refresh_may_be_too_early(self):
        provider = self.provider(refresh_class="rotating", earliest_refresh=30, lifetimes={"access": 600})
        token = provider.granted()["refresh_token"]
        self.refused(provider.refresh(token), "too_early")
        provider.control("/advance", seconds=571)
        self.assertEqual(provider.refresh(token).status, 200)

    def test_one_grant_too_many_ends_the_oldest(self):
        provider = self.provider(grants_per_account=2)
        tokens = [provider.granted()["refresh_token"] for _ in range(2)]
        other = provider.granted(account="bob")["refresh_token"]
        tokens.append(provider.granted()["refresh_token"])
        self.assertEqual([provider.refresh(token).status for token in [*tokens, other]], [400, 200, 200, 200])

    def test_none_gives_no_refresh_token(self):
        provider = self.provider(refresh_class="none", lifetimes={"access": None})
        first = provider.granted()
        self.assertEqual(sorted(first), ["access_token", "scope", "token_type"])
        provider.control("/advance", seconds=10 ** 8)
        self.assertTrue(provider.is_live(first["access_token"]))

    def test_tokens_end_by_their_clocks(self):
        provider = self.provider(refresh_class="rotating", lifetimes={"access": 60, "refresh": 300, "refresh_absolute": 700})
        first = provider.granted()
        provider.control("/advance", seconds=61)
        self.assertFalse(provider.is_live(first["access_token"]))
        second = provider.refresh(first["refresh_token"]).json()
        provider.control("/advance", seconds=301)
        self.refused(provider.refresh(second["refresh_token"]))
        third = provider.granted()["refresh_token"]
        for _ in range(3):
            provider.control("/advance", seconds=200)
            third = provider.refresh(third).json()["refresh_token"]
        provider.control("/advance", seconds=101)
        self.refused(provider.refresh(third))
        self.assertEqual([line["state"] for line in provider.log(status=400)], ["expired", "expired"])

    def test_two_slots_have_a_refresh_token_each(self):
        slots = [{"name": "bot", "token_type": "bot"},
                 {"name": "user", "token_type": "user", "access_token_at": "/authed_user/access_token",
                  "refresh_token_at": "/authed_user/refresh_token", "expires_in_at": "/authed_user/expires_in",
                  "token_type_at": "/authed_user/token_type", "scope_at": "/authed_user/scope"}]
        provider = self.provider(refresh_class="single_use", answer={"slots": slots})
        first = provider.granted()
        user = provider.refresh(first["authed_user"]["refresh_token"]).json()
        self.assertEqual(list(user), ["authed_user"])
        self.assertEqual(user["authed_user"]["token_type"], "user")
        self.assertEqual(provider.refresh(first["refresh_token"]).json()["token_type"], "bot")
        self.assertEqual([(line["slot"], line["generation"]) for line in provider.log(endpoint="token")], [("user", 1), ("bot", 1)])

    def test_a_refresh_kills_the_access_token_of_its_own_slot_alone(self):
        slots = [{"name": "bot"}, {"name": "user", "access_token_at": "/user/access_token", "refresh_token_at": "/user/refresh_token"}]
        provider = self.provider(refresh_class="kills_access_token", answer={"slots": slots})
        first = provider.granted()
        provider.refresh(first["user"]["refresh_token"])
        self.assertEqual([provider.is_live(first["access_token"]), provider.is_live(first["user"]["access_token"])], [True, False])

    def test_a_slot_may_refresh_at_the_root(self):
        slots = [{"name": "bot"}, {"name": "user", "token_type": "user", "access_token_at": "/authed_user/access_token",
                                   "refresh_token_at": "/authed_user/refresh_token", "nested_in": "/authed_user"}]
        provider = self.provider(refresh_class="single_use", answer={"slots": slots})
        user = provider.refresh(provider.granted()["authed_user"]["refresh_token"]).json()
        self.assertEqual(user["token_type"], "user")
        self.assertTrue(provider.is_live(user["access_token"]))

    def test_the_log_and_the_grants_agree_on_what_is_live(self):
        provider = self.provider(refresh_class="single_use")
        first = provider.granted()
        second = provider.refresh(first["refresh_token"]).json()
        line = provider.log(endpoint="token")[0]
        self.assertEqual((line["token"], line["next"]), (hash_of(first["refresh_token"]), hash_of(second["refresh_token"])))
        tokens = provider.control("/grants")["grants"][0]["refresh_tokens"]
        self.assertEqual({token["hash"]: token["state"] for token in tokens}, {line["token"]: "spent", line["next"]: "live"})
        with open(f"{provider.folder}/log.jsonl") as log:
            self.assertNotIn(first["refresh_token"], log.read())

    def test_a_test_may_expire_tokens_and_revoke_a_family(self):
        provider = self.provider(refresh_class="single_use")
        first, other = provider.granted(), provider.granted()
        provider.control("/expire", what="access")
        self.assertFalse(provider.is_live(first["access_token"]))
        provider.control("/revoke", grant="g1")
        self.refused(provider.refresh(first["refresh_token"]))
        self.assertEqual(provider.refresh(other["refresh_token"]).status, 200)
        self.refused(provider.refresh("zrt_of_nobody"))
        self.assertEqual(provider.log(endpoint="token")[-1]["state"], "unknown")


if __name__ == "__main__":
    unittest.main(verbosity=2)

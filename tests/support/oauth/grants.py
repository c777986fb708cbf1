"""Grants and their tokens, by the refresh class: which token is live, in grace, spent, or dead."""

import dataclasses
import hashlib
import secrets


def hash_of(token):
    return hashlib.sha256(token.encode()).hexdigest()


class Clock:
    """Seconds since the epoch; a test may put it ahead."""

    def __init__(self, time):
        self.time, self.ahead = time, 0

    def now(self):
        return self.time() + self.ahead


@dataclasses.dataclass
class Grant:
    id: str
    client: str
    scopes: list
    account: str
    granted_at: float
    is_revoked: bool = False
    generations: dict = dataclasses.field(default_factory=dict) # by slot: the newest
    tokens: list = dataclasses.field(default_factory=list)      # refresh tokens, and access tokens that may live


@dataclasses.dataclass
class RefreshToken:
    grant: Grant
    slot: str
    generation: int
    hash: str
    used_at: float # that it was last used: it idles since
    parent: object = None
    spent_at: float | None = None
    is_dead: bool = False
    successor_was_used: bool = False


@dataclasses.dataclass
class AccessToken:
    grant: Grant
    slot: str
    generation: int
    hash: str
    expires_at: float | None
    is_dead: bool = False


@dataclasses.dataclass
class Issued:
    """What one slot of an answer holds; None: not told."""
    slot: str
    access_token: str
    refresh_token: str | None
    expires_at: float | None


class Grants:
    def __init__(self, settings, clock):
        self.settings, self.clock = settings, clock
        self.by_id, self.refresh_tokens, self.access_tokens = {}, {}, {}

    def make(self, client, scopes, account="alice", refreshable=True):
        """A new grant, and the first tokens of each slot."""
        grant = Grant(f"g{len(self.by_id) + 1}", client, scopes, account, self.clock.now())
        self.by_id[grant.id] = grant
        most = self.settings["grants_per_account"]
        if most is not None:
            theirs = [one for one in self.by_id.values() if (one.client, one.account, one.is_revoked) == (client, account, False)]
            for oldest in theirs[:-most]:
                self.revoke(oldest)
        refreshable = refreshable and self.settings["refresh_class"] != "none"
        return grant, [self.issue(grant, slot["name"], refreshable) for slot in self.settings["answer"]["slots"]]

    def issue(self, grant, slot, refreshable, parent=None):
        now = self.clock.now()
        generation = grant.generations[slot] = grant.generations.get(slot, 0) + 1
        lifetime = self.settings["lifetimes"]["access"]
        access = "zat_" + secrets.token_urlsafe(24)
        token = AccessToken(grant, slot, generation, hash_of(access), None if lifetime is None else now + lifetime)
        self.access_tokens[token.hash] = token
        grant.tokens.append(token)
        refresh = None
        if refreshable:
            refresh = "zrt_" + secrets.token_urlsafe(24)
            kept = RefreshToken(grant, slot, generation, hash_of(refresh), now, parent)
            self.refresh_tokens[kept.hash] = kept
            grant.tokens.append(kept)
        return Issued(slot, access, refresh, token.expires_at)

    def state_of(self, token):
        """unknown, live, grace, spent, expired (too long unused, or too old), revoked."""
        if token is None:
            return "unknown"
        if token.grant.is_revoked or token.is_dead:
            return "revoked"
        now, lifetimes = self.clock.now(), self.settings["lifetimes"]
        if token.spent_at is not None:
            in_grace = self.settings["refresh_class"] == "single_use_grace" and now < token.spent_at + self.settings["grace"]
            return "grace" if in_grace and not (self.settings["grace_until_used"] and token.successor_was_used) else "spent"
        too_old = lifetimes["refresh_absolute"] is not None and now >= token.grant.granted_at + lifetimes["refresh_absolute"]
        idle = lifetimes["refresh"] is not None and now >= token.used_at + lifetimes["refresh"]
        return "expired" if too_old or idle else "live"

    def refresh(self, token):
        """What a live refresh token, or one in grace, is exchanged for."""
        refresh_class, now = self.settings["refresh_class"], self.clock.now()
        if token.parent is not None:
            token.parent.successor_was_used = True
        token.used_at = now
        if refresh_class not in ("static", "rotating") and token.spent_at is None:
            token.spent_at = now
        if self.settings["access_token_dies"] is not None:
            self.let_access_tokens_die(token)
        return self.issue(token.grant, token.slot, refresh_class != "static", token)

    def is_too_early(self, token):
        """Whether an access token of the slot has longer to live than this provider refreshes."""
        earliest, now = self.settings["earliest_refresh"], self.clock.now()
        return earliest is not None and any(isinstance(one, AccessToken) and one.slot == token.slot and not one.is_dead
                                            and one.expires_at - now > earliest for one in token.grant.tokens)

    def let_access_tokens_die(self, refreshed):
        end = self.clock.now() + self.settings["access_token_dies"]
        for token in refreshed.grant.tokens:
            if isinstance(token, AccessToken) and token.slot == refreshed.slot:
                token.expires_at = end if token.expires_at is None else min(token.expires_at, end)
        refreshed.grant.tokens = [token for token in refreshed.grant.tokens
                                  if isinstance(token, RefreshToken) or token.expires_at is None or token.expires_at > self.clock.now()]

    def live_access_token(self, text):
        token = self.access_tokens.get(hash_of(text))
        if token is None or token.is_dead or token.grant.is_revoked:
            return None
        return None if token.expires_at is not None and self.clock.now() >= token.expires_at else token

    def revoke(self, grant):
        grant.is_revoked = True

    def chosen(self, id):
        """One grant, or all of them."""
        return list(self.by_id.values()) if id is None else [self.by_id[id]]

    def expire(self, what, id=None):
        """Ends the life of `access` or `refresh` tokens."""
        kind = AccessToken if what == "access" else RefreshToken
        for grant in self.chosen(id):
            for token in grant.tokens:
                if isinstance(token, kind):
                    token.is_dead = True

    def describe(self, grant):
        """What a test compares its own knowledge with: no token, only hashes."""
        refresh = [token for token in grant.tokens if isinstance(token, RefreshToken)]
        return {"grant": grant.id, "client": grant.client, "account": grant.account, "scopes": grant.scopes,
                "revoked": grant.is_revoked, "generations": grant.generations,
                "refresh_tokens": [{"hash": token.hash, "slot": token.slot, "generation": token.generation,
                                    "state": self.state_of(token)} for token in refresh]}
